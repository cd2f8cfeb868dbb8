package provider

//go:generate go run go.uber.org/mock/mockgen@v0.6.0 -source=provider.go -destination=providermock/mocks.go -package=providermock -typed -write_package_comment=false
