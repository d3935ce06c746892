package cloudfw

// Limits are the vendor's ceilings and the batch sizes of its calls.
type Limits struct {
	AddressesPerBook int // addresses of one family in one book
	BooksPerAccount  int
	RulesPerGroup    int // both directions together
	EntriesPerList   int
	ListsPerRegion   int
	RulesPerCall     int // Permissions.N and SecurityGroupRuleId.N
	SpreadUnits      int // policy quota of the internet firewall (reference §2.2); 0 = not known, not checked
}

// DefaultLimits are the documented figures of reference §2.3, §3.1 and §3.2. The
// policy quota depends on the edition that the account pays for, so it is unknown.
func DefaultLimits() Limits {
	return Limits{
		AddressesPerBook: 2000,
		BooksPerAccount:  5000,
		RulesPerGroup:    200,
		EntriesPerList:   200,
		ListsPerRegion:   100,
		RulesPerCall:     100,
	}
}
