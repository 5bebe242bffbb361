package sandbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/mail"
	"strings"
	"time"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // parts in other character sets
	gomail "github.com/emersion/go-message/mail"
	"github.com/jackc/pgx/v5"

	"aldine/internal/fault"
)

// Message is one stored message. Text, HTML, Header and Raw are filled by Get only.
type Message struct {
	ID         int64     `json:"id"`
	Channel    string    `json:"channel"` // email or sms
	Sender     string    `json:"sender"`
	Recipient  string    `json:"recipient"`
	Subject    string    `json:"subject"`
	ReceivedAt time.Time `json:"received_at"`
	Size       int       `json:"size"`
	Snippet    string    `json:"snippet,omitempty"` // an SMS whole; e-mail: empty
	Text       string    `json:"text,omitempty"`
	HTML       string    `json:"html,omitempty"`
	Raw        []byte    `json:"-"`
}

// Query selects messages, newest first. After is the id of the last message already seen (0: from the newest).
type Query struct {
	Channel   string // "" for all
	Recipient string // exact; "" for all
	After     int64
	Limit     int // 1 to 500; 0 means 50
}

// Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Messages lists stored messages, newest first.
func Messages(ctx context.Context, q Querier, query Query) ([]Message, error) {
	limit := query.Limit
	if limit <= 0 || limit > 500 {
		limit = 50
	}
	rows, err := q.Query(ctx, `
		SELECT message_id, channel, sender, recipient, subject, received_at, length(body),
			CASE WHEN channel = 'sms' THEN convert_from(body, 'UTF8') ELSE '' END
		FROM sandbox_messages
		WHERE (@channel = '' OR channel = @channel) AND (@recipient = '' OR recipient = @recipient)
			AND (@after::bigint = 0 OR message_id < @after)
		ORDER BY message_id DESC LIMIT @limit`,
		pgx.NamedArgs{"channel": query.Channel, "recipient": query.Recipient, "after": query.After, "limit": limit})
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Message, err error) {
		err = row.Scan(&m.ID, &m.Channel, &m.Sender, &m.Recipient, &m.Subject, &m.ReceivedAt, &m.Size, &m.Snippet)
		return m, err
	})
}

// Get gives one message with its parts taken out; NotFound where there is none.
func Get(ctx context.Context, q Querier, id int64) (Message, error) {
	rows, err := q.Query(ctx, `
		SELECT message_id, channel, sender, recipient, subject, received_at, length(body), body
		FROM sandbox_messages WHERE message_id = @id`, pgx.NamedArgs{"id": id})
	if err != nil {
		return Message{}, err
	}
	m, err := pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (m Message, err error) {
		err = row.Scan(&m.ID, &m.Channel, &m.Sender, &m.Recipient, &m.Subject, &m.ReceivedAt, &m.Size, &m.Raw)
		return m, err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return Message{}, fault.New(fault.NotFound, "The outbox has no message %d", id)
	}
	if err != nil {
		return Message{}, err
	}
	if m.Channel != "email" {
		m.Text, m.Snippet = string(m.Raw), string(m.Raw)
		return m, nil
	}
	m.Text, m.HTML = parts(m.Raw)
	return m, nil
}

// parts finds the first text and the first HTML part; a mail that cannot be read is shown as it came.
func parts(raw []byte) (text, page string) {
	r, err := gomail.CreateReader(bytes.NewReader(raw))
	if err != nil && !message.IsUnknownCharset(err) {
		return string(raw), ""
	}
	for {
		p, err := r.NextPart()
		if err != nil && !message.IsUnknownCharset(err) {
			return text, page
		}
		h, ok := p.Header.(*gomail.InlineHeader)
		if !ok {
			continue
		}
		kind, _, _ := h.ContentType()
		body, err := io.ReadAll(io.LimitReader(p.Body, maxMessage))
		if err != nil {
			return text, page
		}
		switch {
		case kind == "text/html" && page == "":
			page = string(body)
		case text == "" && (kind == "text/plain" || kind == ""):
			text = string(body)
		}
	}
}

func subjectOf(raw []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return ""
	}
	s := m.Header.Get("Subject")
	if d, err := new(mime.WordDecoder).DecodeHeader(s); err == nil {
		s = d
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\x00", "")
}
