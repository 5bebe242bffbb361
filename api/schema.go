package api

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"
	"github.com/govalues/decimal"
)

// schemaName names a type in the description: by its own name, after its package's where that is another one's.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	name, args, generic := strings.Cut(t.Name(), "[")
	if name == "" {
		return hint
	}
	out := qualify(t.PkgPath(), name)
	if generic {
		for _, arg := range strings.Split(strings.TrimSuffix(args, "]"), ",") {
			arg = strings.TrimLeft(arg, "[]*")
			dot := strings.LastIndex(arg, ".")
			if dot < 0 {
				out += strings.ToUpper(arg[:1]) + arg[1:]
				continue
			}
			out = qualify(arg[:dot], arg[dot+1:]) + out
		}
	}
	return out
}

func qualify(path, name string) string {
	pkg := path[strings.LastIndex(path, "/")+1:]
	name = strings.ToUpper(name[:1]) + name[1:]
	if pkg == "api" || pkg == "" || strings.HasPrefix(pkg, strings.ToLower(name)) {
		return name
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}

// aliases tells what types that encode themselves look like.
func aliases(r huma.Registry) {
	r.RegisterTypeAlias(reflect.TypeFor[decimal.Decimal](), reflect.TypeFor[amount]())
	r.RegisterTypeAlias(reflect.TypeFor[json.RawMessage](), reflect.TypeFor[anything]())
	r.RegisterTypeAlias(reflect.TypeFor[uuid.UUID](), reflect.TypeFor[uniqueID]())
}

type amount struct{}

// Schema describes an exact decimal.
func (amount) Schema(huma.Registry) *huma.Schema {
	text := &huma.Schema{Type: "string", Pattern: `^[+-]?[0-9]+(\.[0-9]+)?$`}
	text.PrecomputeMessages() // else the pattern is described, but not looked at
	return &huma.Schema{Description: "An exact decimal: written as a string, read from a string or a number.",
		AnyOf:    []*huma.Schema{text, {Type: "number"}, {Type: "null"}},
		Examples: []any{"12.50"}}
}

type anything struct{}

// Schema describes JSON that its service reads itself.
func (anything) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Description: "JSON"} }

type uniqueID struct{}

// Schema describes a UUID.
func (uniqueID) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: "string", Format: "uuid"}
}
