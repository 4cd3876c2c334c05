package doctor

// Rules are all rules, in the order of the documentation.
var Rules = []Rule{
	oneBorderRouter,
	singlePointOfFailure,
	weakLink,
}
