package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"aldine/delivery"
	"aldine/delivery/sandbox"
	"aldine/internal/access"
)

type printFile struct {
	delivery.PrintFile
	URL string `json:"url" doc:"Where to get it, with the token."`
}

type printRun struct {
	delivery.PrintRun
	Items []printFile `json:"items"`
}

var mediaTypes = map[string]string{".pdf": "application/pdf", ".csv": "text/csv; charset=utf-8", ".json": "application/json"}

func (a *API) outgoing() {
	const tag = "Print runs and outbox"
	type list struct {
		Limits
		Campaign int64 `query:"campaign" doc:"Only of this campaign."`
		After    int64 `query:"after"`
	}
	add(a, op{id: "listPrintRuns", method: http.MethodGet, path: "/print-runs", summary: "Print runs, newest first", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *list) (page[delivery.PrintRun], error) {
			out, err := a.Delivery.PrintRuns(ctx, in.Campaign, in.After, in.Limit)
			for i := range out {
				out[i].Folder = "" // where it lies on the server is nobody's business here
			}
			return cut(out, in.Limit, func(r delivery.PrintRun) any { return r.ID }), err
		})
	add(a, op{id: "printFiles", method: http.MethodGet, path: "/print-runs/{id}/files", summary: "The files of a print run, with checksums", tag: tag, need: access.CampaignsRead},
		func(ctx context.Context, in *One) (printRun, error) {
			run, files, err := a.Delivery.PrintFiles(ctx, in.ID)
			out := printRun{PrintRun: run, Items: []printFile{}}
			out.Folder = ""
			for _, f := range files {
				out.Items = append(out.Items, printFile{f, fmt.Sprintf("/api/v1/print-runs/%d/files/%s", in.ID, url.PathEscape(f.Name))})
			}
			return out, err
		})
	type named struct {
		One
		Name string `path:"name"`
	}
	download(a, op{id: "printFile", method: http.MethodGet, path: "/print-runs/{id}/files/{name}", summary: "One file of a print run", tag: tag, need: access.CampaignsWrite,
		doc: "It holds names and addresses, so seeing campaigns is not enough."}, []string{"application/pdf", "text/csv", "application/json"},
		func(ctx context.Context, in *named) (file, error) {
			f, info, err := a.Delivery.OpenPrintFile(ctx, in.ID, in.Name)
			if err != nil {
				return file{}, err
			}
			kind := mediaTypes[strings.ToLower(info.Name[strings.LastIndex(info.Name, ".")+0:])]
			if kind == "" {
				kind = "application/octet-stream"
			}
			return file{Type: kind, Name: info.Name, Write: func(w io.Writer) error {
				_, err := io.Copy(w, f)
				if cerr := f.Close(); err == nil {
					err = cerr
				}
				return err
			}}, nil
		})
	type outbox struct {
		Limits
		Channel   string `query:"channel" enum:"email,sms"`
		Recipient string `query:"recipient" doc:"Exactly this address or number."`
		After     int64  `query:"after"`
	}
	add(a, op{id: "listOutbox", method: http.MethodGet, path: "/outbox", summary: "What the sandbox received instead of the world, newest first", tag: tag, need: access.CampaignsWrite},
		func(ctx context.Context, in *outbox) (page[sandbox.Message], error) {
			out, err := a.Delivery.Outbox(ctx, sandbox.Query{Channel: in.Channel, Recipient: in.Recipient, After: in.After, Limit: in.Limit})
			return cut(out, in.Limit, func(m sandbox.Message) any { return m.ID }), err
		})
	add(a, op{id: "getOutboxMessage", method: http.MethodGet, path: "/outbox/{id}", summary: "One message of the sandbox", tag: tag, need: access.CampaignsWrite},
		func(ctx context.Context, in *One) (sandbox.Message, error) {
			return a.Delivery.OutboxMessage(ctx, in.ID)
		})
}
