package classify

// reason is what words of a diagnostic say.
type reason int

const (
	noUser       reason = iota // there is no such address
	surelyNoUser               // the same, in words that a system uses for nothing else
	unavailable                // RFC 5321's own text of 550, which says it of more than that
	noHost                     // there is no such domain, or it takes no mail
	full                       // its mailbox is full
	onHold                     // its account is disabled, locked or unused
	passing                    // it may pass
	refused                    // a rule refuses the mail
	blamesSender               // it is the sender's address or domain that is refused
	volume                     // with a code: too much mail
	accountLimit               // the sending account has reached its limit or is blocked
	reasons
)

// failureWords are what servers answer, in the forms that the common ones
// use, and what services write to people who read other languages.
var failureWords = newPhrasebook(map[string]reason{
	`user unknown; unknown user; no such user; user not found; unknown recipient; recipient unknown; recipient not found; no such recipient
	user doesn't have a; user does not have a; user doesn't exist; user does not exist; account does not exist; account doesn't exist; mailbox does not exist; mailbox doesn't exist
	address does not exist; address doesn't exist; recipient does not exist; email address could not be found; address couldn't be found; account that you tried to reach does not exist
	address not found; address unknown; unknown address; unknown mailbox; mailbox unknown; mailbox not found; no mailbox here; no mailbox by that name; no such mailbox
	no such address; no such person; no such account; no such local user; no such email; no such id; not a valid user; not a valid mailbox; not a valid recipient; not a known user
	invalid recipient; invalid mailbox; invalid user; invalid address; invalid user address; unknown local part; unknown local user; local user unknown; unknown account
	user invalid; user is unknown; addressee unknown; bad destination mailbox address; bad recipient; bad address
	unknown or illegal alias; unknown or invalid; unknown email address; user not known; not in directory; not found in directory
	no account by that name; no longer valid; no longer in use; no longer exists; no longer available
	no valid recipients; nobody by that name; name not recognized; recipient rejected as unknown; is not a valid mailbox; mailbox is unavailable or not local; no users here by that name; not listed in
	has moved to; user has moved; mailbox has moved; recipient address has changed; user not local; no matches to nameserver query
	empfänger unbekannt; adresse nicht gefunden; existiert nicht; unbekannter benutzer; unbekannter empfänger; konnte nicht gefunden werden
	adresse introuvable; n'existe pas; utilisateur inconnu; destinataire inconnu; no se encontró la dirección; no se ha encontrado la dirección; usuario desconocido; destinatario desconocido
	no existe ese usuario; no existe el usuario; usuario no existe; usuario inexistente; l'adresse du destinataire n'existe pas; nie ma takiego użytkownika; schránka neexistuje; ismeretlen felhasználó; ismeretlen címzett; kullanıcı yok; böyle bir kullanıcı yok; utente inesistente; o endereço de e-mail não existe; conta não existe; ei ole olemassa; finns inte; findes ikke; finnes ikke; 메일 주소가 존재하지; 送信先メールアドレスが
	indirizzo non trovato; utente sconosciuto; destinatario sconosciuto; casella inesistente; endereço não encontrado; usuário desconhecido; adres niet gevonden; onbekende ontvanger; bestaat niet
	nie znaleziono adresu; nieznany użytkownik; adres nie istnieje; адрес не найден; пользователь не найден; такого пользователя нет; adressen hittades inte; okänd mottagare
	adressen blev ikke fundet; ukendt modtager; ukjent mottaker; osoitetta ei löytynyt; adresa nebyla nalezena; adres bulunamadı; kullanıcı bulunamadı; a cím nem található
	宛先不明; メールアドレスが見つかりません; 存在しません; 地址不存在; 找不到地址; 用户不存在; 收件人不存在; 주소를 찾을 수 없음; 존재하지 않`: noUser,

	`mailbox unavailable`: unavailable,

	`unrouteable address; unroutable address; recipientnotfound; recipnotfound; recipient address rejected: access denied; email account that you tried to reach does not exist; not listed in public name; not listed in domino directory
	recipient name is not recognized; name is not recognized; 5.1.0 address rejected; mailfolder does not exist; usernotfound; is unavailable: user not found; no such user!
	wasn't found at; couldn't be found at; no mailbox here by that name; vpopmail (#5.1.1); an account by that name; user unknown in; unknown in local recipient table; unknown in virtual; unknown in relay recipient table`: surelyNoUser,

	`host unknown; unknown host; host not found; domain not found; no such domain; unknown domain; domain does not exist; domain doesn't exist; nxdomain; bad destination system
	couldn't find any host; could not find any host; couldn't find a mail exchanger; no mx record; null mx; nullmx; does not accept mail; doesn't accept mail; name or service not known
	name service error for name; domain couldn't be found; unrouteable mail domain; all relevant mx records point to non-existent hosts; domain of recipient not found; no route to domain
	host or domain name not found; illegal host/domain; unable to resolve domain; invalid domain; domain isn't set up; domain is not set up
	indicated no smtp service; doesn't receive email; domain is not reachable; domain is unreachable; no mx records; no mx-record; does not exist in dns; has no mx
	domain nicht gefunden; domaine introuvable; домен не найден; no se encontró el dominio`: noHost,

	`mailbox full; mailbox is full; mailbox has exceeded; mailbox exceeded; over quota; overquota; quota exceeded; exceeded quota; exceeds quota; exceed quota; over the maximum allowed quota; out of storage
	exceeded storage allocation; storage quota; disk quota; disk full; not enough disk space; insufficient storage; insufficient disk; mailfolder is full; mail box full; inbox is full; inbox full; user is over; recipient over
	disk space quota; kontingent; exceeded its storage; 空间已满; 容量が; 용량이 초과; posta kutusu dolu; casella di posta del destinatario è piena; mailbox over; boîte aux lettres du destinataire est pleine; bandeja de entrada llena; schránka je plná; brevlådan är full; postboksen er full; postkassen er fuld
	maildir over; mailbox size limit; exceeds the size limit; message too large; message size exceeds; message length exceeds; message is too big; too large; maildir delivery failed: user; full mailbox; user has exhausted; has no storage space
	account is over; exceeded the space; over disk quota; quota violation; mailbox for user is full; no space left; postfach voll; postfach ist voll; boîte pleine; boîte aux lettres pleine; buzón lleno; casella piena; caixa cheia; postvak vol; skrzynka jest pełna; ящик переполнен
	メールボックスがいっぱい; 邮箱已满; 사서함이 가득`: full,

	`account disabled; account is disabled; account has been disabled; account that you tried to reach is disabled; disabled or discontinued; account is locked; account locked; account is suspended; account suspended; account has been suspended
	account inactive; account is inactive; inactive account; mailbox disabled; mailbox is disabled; mailbox inactive; mailbox locked; user disabled; user account disabled; user is disabled; user suspended; is not active; currently suspended; temporarily suspended
	not currently accepting; not accepting messages; account expired; account closed; mailbox currently suspended; recipient suspended; deactivated; not been activated; has been blocked due to inactivity; account has been deactivated`: onHold,

	`temporarily; temporary; try again; try later; greylist; graylist; grey listed; timed out; timeout; time out; connection refused; no route to host; network is unreachable; connection reset; connection dropped; lost connection; deferred
	retry time; retry timeout; delivery time expired; message expired; delivery expired; too many connections; too many hops; hop count exceeded; mail loop; routing loop; loop detected; out of memory; insufficient system; insufficient resources; system error; internal error; server error; local error
	configuration error; resources unavailable; resource temporarily; service unavailable; service not available; not available at this time; unable to connect; could not connect; couldn't connect; cannot connect; i/o error; could not be contacted
	read error; write error; mailer error; unable to deliver message after multiple; still being retried; will be retried; will retry; command died; protocol error; can't create output; couldn't create; unable to open; permission denied
	mx records couldn't be reached; not reachable; unreachable; overloaded; busy`: passing,

	`spam; spamming; spammer; junk; blocked; block list; blocklist; blacklist; black list; blacklisted; blocklisted; blackholed; banned; denied by policy; policy; policies; reputation; spamhaus; spamcop; barracuda; sorbs; dnsbl; rbl; virus; malware; phishing; prohibited; unsolicited
	dmarc; spf; dkim; authentication; unauthenticated; not authenticated; not authorized; not authorised; unauthorized; not permitted; not allowed; access denied; permission to; relaying denied; relay denied; relay access; relaying not; unable to relay; no relaying; relay not; we do not relay
	reverse dns; ptr; rdns; reverse hostname; content rejected; message content; content filter; message rejected; mail rejected; rejected by; refused by; administrative prohibition; administratively; rejected due; rejected for; rejected because; listed at; listed by; listed on; suspicious; bulk mail; rate limit; rate limited; bounce rate
	closed group; restricted; only accepts; invalid ip; ip address has been; your ip; client host; client rejected; sender verify; sender verification; verification failed; invalid sender; violates; violation; 5.7.1 delivery not; message refused; mail refused; refused to accept your message; not accept mail from; refuse; blocked using; rejects
	rfc 5322; rfc 5321; rfc 2822; rfc2822; rfc 822; rfc5322; missing header; header missing; bare lf; bare <lf>; multiple from; encrypt; tls; starttls; security; trust; bogus; abuse; forged; spoof; complaint; subscribe; opted out; you may not have permission; you're not allowed; might not have permission; suppressed; suppression list; dt:spm; 垃圾邮件; 垃圾郵件; 迷惑メール; スパム; 스팸; спам; richtlinie; politique de; política de; criteri; beleid; zasady bezpieczeństwa; zulässig; permiso; autorisation; permissão; autorizzazione`: refused,

	`sender address rejected; sender rejected; sender domain; sender denied; bad sender; sender address does not; sender address is; sender unknown; unknown sender; domain of sender; sender's domain; after mail from; after pipelined mail from; reply to mail from; in reply to mail; did not like our mail from
	does not like sender; sending domain; refused mail from; refused your sender; mail from command; sender mail address; sender not; return address; envelope sender;  unverifyable; unverifiable; originator; from address; from domain`: blamesSender,

	`limit; quota; daily; too many`: volume,

	`you have reached a limit for sending mail; you've reached a limit for sending mail; reached your limit for sending; daily user sending limit exceeded; daily sending quota exceeded; daily user sending quota; daily smtp relay limit; daily sending limit; exceeded your sending limit
	exceeded the maximum number of recipients; reached your daily limit; daily limit for message recipients; reached the daily limit; submission quota exceeded; submissionquotaexceededexception; exceeded its sending quota; exceeded your message quota; message submission rate; submission rate
	bad outbound sender; your account has been blocked from sending; tenant has exceeded threshold; traffic not accepted from this ip; tenant external recipient rate limit; exceeded the tenant external; recipient rate limit exceeded for sender; unusual sending activity; unusual rate of unsolicited mail; unusual rate of email
	receiving mail at a rate that; sending limit has been reached; max emails per hour; exceeded the max emails; exceeded the hourly; has exceeded its sending limit; sie haben das limit für das senden; sendelimit; limite d'envoi; límite de envío; limite di invio; limite de envio; verzendlimiet; limit wysyłania; лимит отправки; 送信制限; 发送限制; 전송 한도`: accountLimit,
})
