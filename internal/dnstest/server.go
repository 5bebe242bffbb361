package dnstest

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Records are what the server knows, by name without the last dot: "TXT text", "A 192.0.2.1", "MX 10 host", and "FAIL" for a
// name that it will not answer for.
type Records map[string][]string

// Serve starts a server for the time of a test and gives its address.
func Serve(t testing.TB, known Records) string {
	t.Helper()
	conn, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return
			}
			if reply := answer(buf[:n], known); reply != nil {
				_, _ = conn.WriteTo(reply, from) // the client asks again
			}
		}
	}()
	return conn.LocalAddr().String()
}

func answer(query []byte, known Records) []byte {
	var m dnsmessage.Message
	if m.Unpack(query) != nil || len(m.Questions) != 1 {
		return nil
	}
	q := m.Questions[0]
	reply := dnsmessage.Message{Header: dnsmessage.Header{ID: m.ID, Response: true, RecursionAvailable: true, RecursionDesired: m.RecursionDesired}, Questions: m.Questions}
	records, there := known[strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))]
	if !there {
		reply.RCode = dnsmessage.RCodeNameError
	}
	for _, r := range records {
		kind, value, _ := strings.Cut(r, " ")
		head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
		var body dnsmessage.ResourceBody
		switch {
		case kind == "FAIL":
			reply.RCode = dnsmessage.RCodeServerFailure
		case kind == "TXT" && q.Type == dnsmessage.TypeTXT:
			var parts []string
			for len(value) > 255 {
				parts, value = append(parts, value[:255]), value[255:]
			}
			body = &dnsmessage.TXTResource{TXT: append(parts, value)}
		case kind == "A" && q.Type == dnsmessage.TypeA:
			body = &dnsmessage.AResource{A: netip.MustParseAddr(value).As4()}
		case kind == "AAAA" && q.Type == dnsmessage.TypeAAAA:
			body = &dnsmessage.AAAAResource{AAAA: netip.MustParseAddr(value).As16()}
		case kind == "PTR" && q.Type == dnsmessage.TypePTR:
			body = &dnsmessage.PTRResource{PTR: dnsmessage.MustNewName(strings.TrimSuffix(value, ".") + ".")}
		case kind == "MX" && q.Type == dnsmessage.TypeMX:
			_, host, _ := strings.Cut(value, " ")
			body = &dnsmessage.MXResource{Pref: 10, MX: dnsmessage.MustNewName(strings.TrimSuffix(host, ".") + ".")}
		}
		if body != nil {
			reply.Answers = append(reply.Answers, dnsmessage.Resource{Header: head, Body: body})
		}
	}
	out, err := reply.Pack()
	if err != nil {
		return nil
	}
	return out
}
