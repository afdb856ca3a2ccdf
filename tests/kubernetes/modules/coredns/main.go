// CoreDNS with the few plugins that the tests' Corefile uses. It does not read Kubernetes: names inside the cluster are not asked for.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/log"
)

func init() {
	// The order in which a query passes through them.
	dnsserver.Directives = []string{"errors", "log", "cache", "forward"}
}

func main() { coremain.Run() }
