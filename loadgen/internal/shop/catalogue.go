package shop

import (
	_ "embed"
	"strconv"
	"strings"
)

//go:embed data/products.tsv
var productsTSV string

// Product is an article of the catalogue.
type Product struct {
	SKU, Name, Category string
	Price               Cents
}

// catalogue parses the embedded table: SKU, name, category and price with two decimals, separated by tabs.
func catalogue() []Product {
	var products []Product
	for line := range strings.Lines(productsTSV) {
		cell := strings.Split(strings.TrimSpace(line), "\t")
		price, err := strconv.ParseInt(strings.Replace(cell[3], ".", "", 1), 10, 64)
		if err != nil {
			panic("embedded catalogue: " + err.Error())
		}
		products = append(products, Product{SKU: cell[0], Name: cell[1], Category: cell[2], Price: Cents(price)})
	}
	return products
}

// priceBounds returns what one piece may cost: the catalogue's price ±5 %, to the cent.
func (p *Product) priceBounds() bounds { return bounds{(p.Price*95 + 99) / 100, p.Price * 105 / 100} }
