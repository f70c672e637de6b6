// Command genspec writes the OpenAPI document of the REST interface to
// openapi.json in the current directory. go generate ./api runs it.
package main

import (
	"fmt"
	"os"

	"github.com/muniment/muniment/api"
)

func main() {
	spec, err := api.Spec()
	if err == nil {
		err = os.WriteFile("openapi.json", spec, 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "genspec:", err)
		os.Exit(1)
	}
}
