package store

//go:generate go run go.uber.org/mock/mockgen@v0.6.0 -destination storemock/mocks.go -package storemock -write_package_comment=false github.com/outreachkit/outreach/store TokenStore,FlowStore,ConversationLog,EnrollmentStore
