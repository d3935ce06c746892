package cloudfw

// Limits are the vendor's ceilings and the batch sizes of its calls.
type Limits struct {
	AddressesPerBook int // addresses of one family in one book
	BooksPerAccount  int
	RulesPerGroup    int // both directions together
	EntriesPerList   int
	ListsPerRegion   int
	RulesPerCall     int // Permissions.N and SecurityGroupRuleId.N
	SpreadUnits      int // policy quota of each kind of border (reference §2.2); 0 = not known, not checked
	Reserve          int // percent of books, of a known policy quota and of a group's rules that blocked addresses leave free for incidents
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
		Reserve:          10,
	}
}

// Usable is what blocked addresses may use of a limit: all but the reserve.
func (l Limits) Usable(limit int) int { return limit - limit*min(max(l.Reserve, 0), 100)/100 }
