package classify

// bounceWords are how subjects and texts of delivery reports say that a mail
// did not arrive, or not yet.
var bounceWords = newPhrasebook(map[string]bool{
	`undeliverable; undelivered; undeliverd; undeliv; delivery status notification; delivery failure; delivery failed; delivery has failed; delivery notification; delivery error; delivery report; delivery problem; delivery unsuccessful; delivery incomplete
	delivery delayed; delivery is delayed; delivery has been delayed; delayed mail; delayed:; warning: message; warning: could not send; delivery to the following; returned mail; mail returned; returning message; returning to sender; returned to sender; return to sender
	failure notice; failure delivery; failed delivery; mail failure; mail failed; mail delivery failed; mail delivery failure; mail delivery system; mail system error; mail could not be delivered; message could not be delivered; message not delivered; message undeliverable; message delivery
	could not be delivered; couldn't be delivered; cannot be delivered; can't be delivered; was not delivered; wasn't delivered; not been delivered; could not deliver; couldn't deliver; unable to deliver; wasn't able to deliver; failed permanently; error sending your mail; trouble delivering
	non delivery; non-delivery; nondeliverable; non-deliverable; ndn:; ndr:; failure reasons; rejected mail; message rejected; problem delivering; error occurred while trying to deliver; error delivering your mail; permanent fatal errors; did not reach; did not arrive; blocked by
	unzustellbar; nicht zustellbar; nicht zugestellt; zustellung fehlgeschlagen; zustellfehler; konnte nicht zugestellt; übermittlungsfehler; fehler bei der zustellung
	non remis; non distribué; non distribuable; échec de la remise; échec de remise; échec de la distribution; n'a pas pu être remis; n'a pas été remis; n'a pas pu être distribué; non délivré
	no se puede entregar; no se pudo entregar; no entregado; no se ha entregado; no entregable; error de entrega; no ha podido entregarse; notificación de estado de entrega; entrega fallida
	impossibile recapitare; non recapitabile; non recapitato; non consegnato; mancata consegna; mancato recapito; non è stato recapitato; consegna non riuscita
	não foi entregue; não foi possível entregar; não entregue; não pôde ser entregue; falha na entrega; falha de entrega; devolvido ao remetente
	onbestelbaar; niet bezorgd; niet afgeleverd; kan niet worden bezorgd; bezorging mislukt; kon niet worden
	nie można dostarczyć; nie dostarczono; niedostarczalna; nie została dostarczona; niedoręczalna; nie doręczono; zwrot wiadomości
	не доставлено; не доставлена; недоставлен; не удалось доставить; недоставленное; не может быть доставлено; ошибка доставки; не было доставлено; не удается доставить
	не вдалося доставити; kunne ikke leveres; kan ikke leveres; ikke levert; ikke leveret; går inte att leverera; kunde inte levereras; olevererbart; toimitus epäonnistui; ei voitu toimittaa; ei voi toimittaa; toimittaminen epäonnistui
	nedoručitelné; nelze doručit; nebyla doručena; doručení se nezdařilo; kézbesíthetetlen; nem kézbesíthető; sikertelen kézbesítés; teslim edilemedi; iletilemedi; nu a putut fi livrat; nelivrat; η παράδοση απέτυχε; δεν παραδόθηκε
	配信不能; 配信できません; 配達不能; 送信できません; エラーメール; 配送できません; 無法傳遞; 无法送达; 无法投递; 退信; 未送达; 系统退信; 배달되지 않음; 배달 실패; 전송 실패; 반송`: true,
})

// lateWords are how they say that it is still being tried.
var lateWords = newPhrasebook(map[string]bool{
	`delay); delayed; delay reason; delivery delay; warning: could not send message; warning message only; warning only; not yet been delivered; still being retried; will be retried; will retry; will keep trying; delivery attempts will continue; still trying; temporary problem delivering; has been delayed
	verzögert; verzögerung; wird erneut versucht; retardé; retardée; sera réessayé; retrasado; retrasada; retraso en la entrega; ritardata; ritardato; em atraso; atrasada; atrasado; adiada; vertraagd; opóźnion; opóźnienie; opóźniono
	задержка; задержано; задерживается; forsinket; fördröjd; försenad; viivästynyt; viivästyi; zpožděn; késleltetett; gecikti; întârziat; 遅延; 遅れて; 延迟; 延遲; 지연`: true,
})
