// Package sim plays the whole loop, linking, runner, store and the fakes of
// both mail services, in one process on a virtual clock, with faults on the
// way and crashes between any two steps of the host. One seed decides
// everything, so a seed that fails plays the same history again.
//
// A Plan is drawn from a seed. Run plays it: several candidates with minds of
// their own, one or two senders, two processes of the host that share a store
// and may die at any store call or request and are born again. Then the
// faults end, and the world goes on until everything must have come to an
// end. Check looks at what the mail services recorded, and holds it against
// what the library promises; of the library's own words it reads only how an
// enrollment ended and the conversation log.
package sim
