// Package quote finds in a reply what its author wrote, among quoted history,
// signatures and legal notices. It is pure, takes linear time, and accepts
// any input, malformed UTF-8 and broken HTML included.
//
// Nothing is thrown away. [Split] cuts a body into pieces that together are
// the whole text, each with a kind, so that a page can fold what is not new
// and show it again on a click. [Parts.Fresh] is the text worth reading first;
// [Parts.Written] is only what the author typed, for rules that must not be
// triggered by somebody else's words.
//
// When it is unsure, it keeps. A quoted line too many costs a glance, and a
// lost sentence may have been the answer. So:
//
//   - Lines marked with ">" are history only below a line that says who wrote
//     them and when, or where the passage itself shows it; "> 100 users" stays.
//   - Bars ("|") are quote marks below an attribution, and where three lines of
//     prose or more stand alone with them. Tables, pipes of a shell and code
//     stay. Colons are never read as quote marks: people begin lines with them.
//   - An attribution without a final colon ("On 3 May 2024 Anna Berg wrote")
//     counts if it is a whole paragraph that names the day and the writer and
//     marked lines, or a mail's header, follow directly.
//   - Answers between quoted passages stay, with the passages that they
//     answer ([Context]), and without the attribution above those. A single
//     passage above one answer is folded, also below a greeting.
//   - An author who says that answers stand below, in red or in the text, has
//     typed them into the history. If none are found between marked passages,
//     the history stays as Context: only its colour tells an answer apart. So
//     does history in HTML with a few red lines in it.
//   - A sentence that introduces what the author quotes ("On 3 May my boss
//     wrote:", "what I wrote to John on Monday:") is none of a program, which
//     says the time of day or the writer's address, or at least a name in
//     capitals and the year.
//   - A body of nothing but marked lines, with no attribution among them, comes
//     back whole: somebody sent it, and an empty text would hide that.
//   - A block of From, Sent, To and Subject ends the new text. One or two such
//     words do not: "From: now on" is a sentence.
//   - Only the last lines of the new text may be a signature: below the
//     delimiter "-- " (RFC 3676, section 4.3), or a phone's "Sent from my
//     iPhone", in the words that mail programs use for it. Greetings and names
//     that a person typed without a delimiter stay. What a company prints on
//     its letters (seat, register, tax number) is a [Disclaimer] directly below
//     a legal notice or a phone's line, and else the author's.
//   - A forwarded mail below words of the author is [Forwarded]; without such
//     words it is what the author wanted to say, and its text stays as Context.
//   - History that is not marked and that nothing stands above stays too: the
//     answer may be below it or in it.
//
// HTML is read for what mail programs mark: blockquotes of type cite, Gmail's,
// Yahoo's, Outlook's and Thunderbird's containers, and signatures. These marks
// are not documented by the vendors; they are what their programs are seen to
// write. A blockquote without a mark and without an attribution is the
// author's own. Where nothing is marked, the rules for text decide. What is
// typed beside these marks is looked for: below a container, between Outlook's
// anchors, in the line above a quotation, and in a signature that begins with a
// sentence.
//
// Of 29 real mails labelled by others, all come out exactly; 17 of them were
// held out while the first rules were made and measured 82.4 % then, and have
// been looked at since. Of 214 replies written down in the forms of mail
// programs before the rules were looked at, 86.0 % came out exactly at first,
// and 3.3 % lost a line; all come out exactly now. Of 50 more, written when
// that was done, 92.0 % were exact at first, and none lost a line that its
// author wrote. Of 61 made to break the rules, 83.6 % were, and 4 lost lines. Of
// the last 40, 92.5 % were, and 2 lost an answer typed into unmarked history.
package quote
