// Package privacytest holds the proof that mail which is none of our business
// is never requested: a mailbox of 100,000 messages, two hundred candidates
// who answer in every way, both fakes, and the books of these as the control.
// It also holds PRIVACY.md to what the code does. It has only tests.
package privacytest
