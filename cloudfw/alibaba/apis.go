package alibaba

// API is one remote call of the vendor.
type API struct {
	Name    string
	Product string // as permissions name it: "yundun-cloudfirewall" or "ecs"
	Write   bool   // changes the account
}

// Permission is the call's name in access policies (reference §6).
func (a API) Permission() string { return a.Product + ":" + a.Name }

// The two products (reference §6).
const (
	firewallProduct = "yundun-cloudfirewall"
	computeProduct  = "ecs"
)

// Every call that this package makes: a call without an entry here cannot be made.
var (
	describeControlPolicy       = API{"DescribeControlPolicy", firewallProduct, false}
	addControlPolicy            = API{"AddControlPolicy", firewallProduct, true}
	modifyControlPolicyPriority = API{"ModifyControlPolicyPriority", firewallProduct, true}
	deleteControlPolicy         = API{"DeleteControlPolicy", firewallProduct, true}
	describeAddressBook         = API{"DescribeAddressBook", firewallProduct, false}
	addAddressBook              = API{"AddAddressBook", firewallProduct, true}
	modifyAddressBook           = API{"ModifyAddressBook", firewallProduct, true}
	deleteAddressBook           = API{"DeleteAddressBook", firewallProduct, true}
	describeAssetList           = API{"DescribeAssetList", firewallProduct, false}

	describeSecurityGroups         = API{"DescribeSecurityGroups", computeProduct, false}
	describeSecurityGroupAttribute = API{"DescribeSecurityGroupAttribute", computeProduct, false}
	authorizeSecurityGroup         = API{"AuthorizeSecurityGroup", computeProduct, true}
	authorizeSecurityGroupEgress   = API{"AuthorizeSecurityGroupEgress", computeProduct, true}
	revokeSecurityGroup            = API{"RevokeSecurityGroup", computeProduct, true}
	revokeSecurityGroupEgress      = API{"RevokeSecurityGroupEgress", computeProduct, true}
	describePrefixLists            = API{"DescribePrefixLists", computeProduct, false}
	describePrefixListAttributes   = API{"DescribePrefixListAttributes", computeProduct, false}
	createPrefixList               = API{"CreatePrefixList", computeProduct, true}
	modifyPrefixList               = API{"ModifyPrefixList", computeProduct, true}
	deletePrefixList               = API{"DeletePrefixList", computeProduct, true}
)

// APIs lists every call that this package can make: exactly the permissions that
// the account needs to grant. The result is the caller's to keep.
func APIs() []API {
	return []API{
		describeControlPolicy, addControlPolicy, modifyControlPolicyPriority, deleteControlPolicy,
		describeAddressBook, addAddressBook, modifyAddressBook, deleteAddressBook,
		describeAssetList,
		describeSecurityGroups, describeSecurityGroupAttribute,
		authorizeSecurityGroup, authorizeSecurityGroupEgress, revokeSecurityGroup, revokeSecurityGroupEgress,
		describePrefixLists, describePrefixListAttributes, createPrefixList, modifyPrefixList, deletePrefixList,
	}
}
