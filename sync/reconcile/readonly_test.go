package reconcile_test

import (
	"reflect"
	"testing"

	"fwsync/cloudfw"
	"fwsync/sync/reconcile"
)

// Promise P9: what plan, status and explain are made of can observe a cloud and has no
// way to write to it: nothing in it is of a type with a mutating method.
func TestP9ALookHasNoWayToWrite(t *testing.T) {
	writer := reflect.TypeFor[cloudfw.Writer]()
	looked := 0
	for _, of := range []reflect.Type{reflect.TypeFor[reconcile.Look](), reflect.TypeFor[reconcile.Cloud]()} {
		for i := range of.NumField() {
			looked++
			if field := of.Field(i); field.Type.Implements(writer) || reflect.PointerTo(field.Type).Implements(writer) {
				t.Errorf("%s.%s can write", of, field.Name)
			}
		}
	}
	if account := reflect.TypeFor[cloudfw.Account](); looked < 10 || !account.Implements(writer) {
		t.Error("the test guards nothing")
	}
}
