package email

import (
	"bytes"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/wneessen/go-mail"
)

// Message is one mail before it is written out.
type Message struct {
	ID             string // Message-ID without angle brackets; the same whenever the same touch is sent again
	FromName       string
	From           string
	To             string
	Subject        string
	Text, HTML     string // HTML may be empty
	UnsubscribeURL string // http or https; answers POST (RFC 8058). Empty for mail that nobody can leave, such as a test
	LeaveAddress   string // unsubscribes by a mail to it, beside UnsubscribeURL; may be empty
	Date           time.Time
}

// Compose writes the mail with a text and an HTML part. The error says what cannot be written, usually an address.
func Compose(m Message) ([]byte, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(m.FromName, m.From); err != nil {
		return nil, fmt.Errorf("sender address %q: %w", m.From, err)
	}
	if err := msg.To(m.To); err != nil {
		return nil, fmt.Errorf("address %q: %w", m.To, err)
	}
	msg.Subject(oneLine(m.Subject))
	msg.SetMessageIDWithValue(m.ID)
	msg.SetDateWithValue(m.Date)
	if m.UnsubscribeURL != "" {
		ways := "<" + m.UnsubscribeURL + ">"
		if m.LeaveAddress != "" {
			ways += ",\r\n <mailto:" + m.LeaveAddress + "?subject=unsubscribe>"
		}
		msg.SetGenHeaderPreformatted(mail.HeaderListUnsubscribe, ways)
		msg.SetGenHeaderPreformatted(mail.HeaderListUnsubscribePost, "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(mail.TypeTextPlain, m.Text)
	if m.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, m.HTML)
	}
	var b bytes.Buffer
	b.Grow(2*len(m.HTML) + 2*len(m.Text) + 1024)
	if _, err := msg.WriteTo(&b); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// oneLine keeps customers' data from starting a header of its own.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// WithPixel puts a one-pixel picture at the end of the page's body, so that a mail program which shows pictures tells of the opening.
func WithPixel(page, url string) string {
	if page == "" {
		return ""
	}
	img := pixelBefore + html.EscapeString(url) + pixelAfter
	if i := lastIndexFold(page, "</body>"); i >= 0 {
		return page[:i] + img + page[i:]
	}
	return page + img
}

// PixelPlace makes room in a page's fixed text for the pixel that WithPixel would put there: one more value, which is the
// pixel's address, comes after at others. It gives nil where the page's end is not fixed text.
func PixelPlace(fixed []string) (with []string, at int) {
	for n := len(fixed) - 1; n >= 0; n-- {
		if i := lastIndexFold(fixed[n], "</body>"); i >= 0 || n == len(fixed)-1 && fixed[n] != "" && !bodyEndsBefore(fixed) {
			if i < 0 {
				i = len(fixed[n])
			}
			with = append(with, fixed[:n]...)
			with = append(with, fixed[n][:i]+pixelBefore, pixelAfter+fixed[n][i:])
			return append(with, fixed[n+1:]...), n
		}
	}
	return nil, 0
}

func bodyEndsBefore(fixed []string) bool {
	for _, f := range fixed {
		if lastIndexFold(f, "</body>") >= 0 {
			return true
		}
	}
	return false
}

const (
	pixelBefore = `<img src="`
	pixelAfter  = `" width="1" height="1" alt="" style="display:none">`
)

// lastIndexFold finds the last place of an ASCII needle, whatever its case.
func lastIndexFold(s, needle string) int {
	for i := len(s) - len(needle); i >= 0; i-- {
		if strings.EqualFold(s[i:i+len(needle)], needle) {
			return i
		}
	}
	return -1
}
