// Command openapi prints the API's document, from which the types of the user interface are generated.
package main

import (
	"fmt"
	"os"

	"github.com/puttrix/trafficinator/controller/internal/api"
)

func main() {
	document, err := api.Document()
	if err == nil {
		_, err = fmt.Println(string(document))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "openapi:", err)
		os.Exit(1)
	}
}
