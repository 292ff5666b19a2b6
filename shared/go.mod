module github.com/puttrix/trafficinator/shared

go 1.26.0

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/caarlos0/env/v11 v11.4.2
	github.com/spf13/afero v1.15.0
	golang.org/x/net v0.62.0
)

require golang.org/x/text v0.43.0 // indirect
