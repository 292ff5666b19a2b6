module github.com/puttrix/trafficinator/controller

go 1.26
