// Package providertest is the conformance suite for implementations of
// provider.Provider. Each sentence of the contract is a named subtest, and
// each cell of the abilities table is one.
//
//	func TestConformance(t *testing.T) {
//		providertest.Run(t, newHarness)
//	}
//
// The suite knows no implementation: it branches on what Provider.Abilities
// and Limits say and on what the Harness can do, never on a name. What a
// harness can't produce it leaves nil, and the subtests that need it skip and
// name it. Fake is a harness over the in-memory Provider of package
// postoffice, to read as an example.
package providertest
