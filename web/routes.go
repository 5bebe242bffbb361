package web

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"aldine/internal/access"
	"aldine/internal/fault"
)

// Register adds all pages. Read it as the site map: method, address, the permission it needs, what it does.
func (p *Pages) Register(e *echo.Echo) {
	e.GET("/static/*", p.static)
	e.GET("/favicon.ico", func(c echo.Context) error { return c.Redirect(http.StatusFound, assetURL("favicon.svg")) })
	p.handleErrors(e)

	r := router{p, e}
	r.open("GET", "/sign-in", p.signInForm)
	r.open("POST", "/sign-in", p.signIn)
	r.open("POST", "/sign-out", p.signOut)
	r.anyone("GET", "/password", p.passwordForm)
	r.anyone("POST", "/password", p.changePassword)

	r.anyone("GET", "/", p.home) // leads those without a dashboard to their place
	r.on("GET", "/home/live", access.CampaignsRead, p.homeLive)

	r.on("GET", "/customers", access.CustomersRead, p.customerList)
	r.on("GET", "/customers/new", access.CustomersWrite, p.customerNew)
	r.on("POST", "/customers", access.CustomersWrite, p.customerSave)
	r.on("GET", "/customers/:id", access.CustomersRead, p.customerShow)
	r.on("POST", "/customers/:id", access.CustomersWrite, p.customerSave)
	r.on("GET", "/customers/:id/edit", access.CustomersWrite, p.customerEdit)
	r.on("GET", "/customers/:id/timeline", access.CustomersRead, p.customerTimeline)
	r.on("POST", "/customers/:id/consents", access.CustomersWrite, p.customerConsent)
	r.on("GET", "/customers/:id/erase", access.CustomersWrite, p.customerEraseAsk)
	r.on("POST", "/customers/:id/erase", access.CustomersWrite, p.customerErase)
	r.on("GET", "/customers/:id/export.json", access.CustomersWrite, p.customerExport)
	r.on("GET", "/customers/:id/merges/:merge/undo", access.CustomersWrite, p.mergedUndoAsk)
	r.on("POST", "/customers/:id/merges/:merge/undo", access.CustomersWrite, p.mergedUndo)
	r.on("GET", "/suppressions", access.CustomersRead, p.suppressionList)
	r.on("POST", "/suppressions", access.CustomersWrite, p.suppressionAdd)
	r.on("GET", "/suppressions/file", access.CustomersWrite, p.suppressionFile)
	r.on("POST", suppressionUploadPath, access.CustomersWrite, p.suppressionUpload)
	r.on("POST", "/suppressions/:id/remove", access.CustomersWrite, p.suppressionRemove)
	r.on("GET", "/registers", access.CustomersRead, p.registerList)
	r.on("POST", "/registers", access.CustomersWrite, p.registerSave)
	r.on("POST", registerUploadPath, access.CustomersWrite, p.registerUpload)
	r.on("POST", "/registers/:id/remove", access.CustomersWrite, p.registerRemove)

	r.on("GET", "/imports", access.CustomersRead, p.importList)
	r.on("GET", "/imports/new", access.CustomersWrite, p.importNew)
	r.on("POST", uploadPath, access.CustomersWrite, p.importUpload)
	r.on("GET", "/imports/mapping/:key", access.CustomersWrite, p.importMapping)
	r.on("POST", "/imports/mapping/:key", access.CustomersWrite, p.importStart)
	r.on("POST", "/imports/mapping/:key/preview", access.CustomersWrite, p.importPreview)
	r.on("GET", "/imports/:id", access.CustomersRead, p.importShow)
	r.on("GET", "/imports/:id/live", access.CustomersRead, p.importLive)
	r.on("GET", "/imports/:id/rejects.csv", access.CustomersWrite, p.importRejects)
	r.on("POST", "/imports/:id/start", access.CustomersWrite, p.importNow)
	r.on("POST", "/imports/:id/cancel", access.CustomersWrite, p.importCancel)

	r.on("GET", "/merge-runs", access.CustomersRead, p.mergeList)
	r.on("GET", "/merge-runs/new", access.CustomersWrite, p.mergeNew)
	r.on("POST", "/merge-runs", access.CustomersWrite, p.mergeCreate)
	r.on("GET", "/merge-runs/:id", access.CustomersRead, p.mergeShow)
	r.on("GET", "/merge-runs/:id/live", access.CustomersRead, p.mergeLive)
	r.on("POST", "/merge-runs/:id/house", access.CustomersWrite, p.mergeHouse)
	r.on("POST", mergeUploadPath, access.CustomersWrite, p.mergeUpload)
	r.on("GET", "/merge-runs/:id/inputs/:no", access.CustomersRead, p.mergeInput)
	r.on("POST", "/merge-runs/:id/inputs/:no", access.CustomersWrite, p.mergeInputSave)
	r.on("POST", "/merge-runs/:id/inputs/:no/rank", access.CustomersWrite, p.mergeRank)
	r.on("POST", "/merge-runs/:id/inputs/:no/remove", access.CustomersWrite, p.mergeRemoveInput)
	r.on("POST", "/merge-runs/:id/start", access.CustomersWrite, p.mergeStart)
	r.on("POST", "/merge-runs/:id/cancel", access.CustomersWrite, p.mergeCancel)
	r.on("POST", "/merge-runs/:id/delete", access.CustomersWrite, p.mergeDelete)
	r.on("GET", "/merge-runs/:id/apply", access.CustomersWrite, p.mergeApplyAsk)
	r.on("POST", "/merge-runs/:id/apply", access.CustomersWrite, p.mergeApply)
	r.on("GET", "/merge-runs/:id/records", access.CustomersRead, p.mergeRecords)
	r.on("GET", "/merge-runs/:id/net.csv", access.CustomersWrite, p.mergeNet)
	r.on("GET", "/merge-runs/:id/:file", access.CustomersRead, p.mergeFile)

	r.on("GET", "/duplicates", access.CustomersRead, p.duplicateList)
	r.on("GET", "/duplicates/live", access.CustomersRead, p.duplicatesLive)
	r.on("POST", "/duplicates/searches", access.CustomersWrite, p.duplicateSearch)
	r.on("POST", "/duplicates/searches/:id/cancel", access.CustomersWrite, p.duplicateSearchCancel)
	r.on("GET", "/duplicates/sure", access.CustomersWrite, p.duplicateSureAsk)
	r.on("POST", "/duplicates/sure", access.CustomersWrite, p.duplicateSure)
	r.on("GET", "/duplicates/next", access.CustomersRead, p.duplicateNext)
	r.on("POST", "/duplicates/undo", access.CustomersWrite, p.duplicateUndo)
	r.on("GET", "/duplicates/:a/:b", access.CustomersRead, p.duplicateShow)
	r.on("POST", "/duplicates/:a/:b", access.CustomersWrite, p.duplicateDecide)

	r.on("GET", "/segments", access.SegmentsRead, p.segmentList)
	r.on("GET", "/segments/new", access.SegmentsWrite, p.segmentNew)
	r.on("POST", "/segments", access.SegmentsWrite, p.segmentSave)
	r.on("POST", "/segments/check", access.SegmentsRead, p.segmentCheck)
	r.on("POST", "/segments/sample", access.CustomersRead, p.segmentSample)
	r.on("POST", "/segments/rows", access.SegmentsRead, p.segmentRows)
	r.on("POST", "/segments/text", access.SegmentsRead, p.segmentText)
	r.on("POST", "/segments/profile", access.SegmentsRead, p.segmentProfile)
	r.on("POST", "/segments/overlap", access.SegmentsRead, p.segmentOverlap)
	r.on("GET", "/segments/:id", access.SegmentsRead, p.segmentEdit)
	r.on("GET", "/segments/:id/members.csv", access.CustomersWrite, p.segmentExport)
	r.on("POST", "/segments/:id/versions/:version", access.SegmentsWrite, p.segmentRestore)
	r.on("POST", "/segments/:id", access.SegmentsWrite, p.segmentSave)
	r.on("POST", "/segments/:id/delete", access.SegmentsWrite, p.segmentDelete)

	r.on("GET", "/campaigns", access.CampaignsRead, p.campaignList)
	r.on("GET", "/campaigns/new", access.CampaignsWrite, p.campaignNew)
	r.on("POST", "/campaigns", access.CampaignsWrite, p.campaignSave)
	r.on("POST", "/campaigns/steps", access.CampaignsWrite, p.stepAdd)
	r.on("GET", "/campaigns/:id", access.CampaignsRead, p.campaignShow)
	r.on("POST", "/campaigns/:id", access.CampaignsWrite, p.campaignSave)
	r.on("GET", "/campaigns/:id/edit", access.CampaignsWrite, p.campaignEdit)
	r.on("GET", "/campaigns/:id/live", access.CampaignsRead, p.campaignLive)
	r.on("GET", "/campaigns/:id/forecast", access.CampaignsRead, p.campaignForecast)
	r.on("GET", "/campaigns/:id/print-runs", access.CampaignsRead, p.campaignPrintRuns)
	r.on("GET", "/campaigns/:id/unconfirmed", access.CampaignsRead, p.campaignUnconfirmed)
	r.on("POST", "/campaigns/:id/unconfirmed", access.CampaignsWrite, p.campaignResolve)
	r.on("GET", "/campaigns/:id/:action", access.CampaignsRead, p.actionAsk) // the action asks for its own permission
	r.on("POST", "/campaigns/:id/:action", access.CampaignsRead, p.actionDo)

	r.on("GET", "/templates", access.CampaignsRead, p.templateList)
	r.on("GET", "/templates/new", access.CampaignsWrite, p.templateNew)
	r.on("POST", "/templates", access.CampaignsWrite, p.templateSave)
	r.on("POST", "/templates/preview", access.CustomersRead, p.templatePreview)
	r.on("GET", "/templates/:id", access.CampaignsRead, p.templateEdit)
	r.on("POST", "/templates/:id", access.CampaignsWrite, p.templateSave)
	r.on("POST", "/templates/:id/test", access.CampaignsWrite, p.templateTestSend)

	r.on("GET", "/calls", access.CallsRead, p.callLists)
	r.on("GET", "/calls/:id/next", access.CallsWork, p.callNext)
	r.on("POST", "/calls/:id/outcome", access.CallsWork, p.callOutcome)
	r.on("POST", "/calls/:id/csv", access.CallsWork, p.callsCSV)

	r.on("GET", "/reports", access.ReportsRead, p.reportList)
	r.on("GET", "/reports/export", access.ReportsRead, p.reportExport)
	r.on("GET", "/reports/rfm", access.ReportsRead, p.rfm)
	r.on("POST", "/reports/rfm", access.SegmentsWrite, p.rfmSave)
	r.on("GET", "/mails/:id", access.ResponsesWrite, p.mailShow)
	r.on("GET", "/reports/unmatched", access.ResponsesWrite, p.unmatched)
	r.on("POST", "/reports/unmatched/:id", access.ResponsesWrite, p.unmatchedResolve)
	r.on("GET", "/reports/:id", access.ReportsRead, p.reportShow)
	r.on("GET", "/reports/:id/ledger", access.ReportsRead, p.reportLedger)

	r.on("GET", "/outbox", access.CampaignsWrite, p.outbox)
	r.on("GET", "/outbox/:id", access.CampaignsWrite, p.outboxMessage)
	r.on("GET", "/outbox/:id/html", access.CampaignsWrite, p.outboxHTML)
	r.on("GET", "/print-runs", access.CampaignsWrite, p.printRuns)
	r.on("GET", "/print-runs/:id", access.CampaignsWrite, p.printRun)
	r.on("GET", "/print-runs/:id/files/:name", access.CampaignsWrite, p.printFile)

	r.anyone("GET", "/settings", p.settingsHome) // leads to the first page the role may open
	r.on("GET", "/settings/company", access.Administer, p.companyForm)
	r.on("POST", "/settings/company", access.Administer, p.companySave)
	r.on("GET", "/settings/users", access.Administer, p.userList)
	r.on("POST", "/settings/users", access.Administer, p.userAdd)
	r.on("POST", "/settings/users/:id", access.Administer, p.userChange)
	r.on("GET", "/settings/tokens", access.Administer, p.tokenList)
	r.on("POST", "/settings/tokens", access.Administer, p.tokenAdd)
	r.on("POST", "/settings/tokens/:id/revoke", access.Administer, p.tokenRevoke)
	r.on("GET", "/settings/attributes", access.CustomersWrite, p.attributeList)
	r.on("POST", "/settings/attributes", access.CustomersWrite, p.attributeAdd)
	r.on("POST", "/settings/attributes/:name/cancel", access.CustomersWrite, p.attributeCancel)
	r.on("POST", "/settings/attributes/:name/private", access.Administer, p.attributePrivate)
	r.on("GET", "/settings/lists", access.CustomersWrite, p.listList)
	r.on("POST", "/settings/lists", access.CustomersWrite, p.listSave)
	r.on("GET", "/settings/products", access.CustomersWrite, p.productList)
	r.on("POST", "/settings/products", access.CustomersWrite, p.productSave)
	r.on("GET", "/settings/rates", access.Administer, p.rateList)
	r.on("POST", "/settings/rates", access.Administer, p.rateSave)
	r.on("GET", "/settings/tracking", access.Administer, p.trackingShow)
	r.on("GET", "/settings/tracking/live", access.Administer, p.trackingLive)
	r.on("POST", "/settings/tracking", access.Administer, p.reclassify)
	r.on("POST", "/settings/tracking/runs/:id/cancel", access.Administer, p.reclassifyCancel)
	r.on("GET", "/settings/facts", access.Administer, p.factsShow)
	r.on("GET", "/settings/facts/live", access.Administer, p.factsLive)
	r.on("POST", "/settings/facts", access.Administer, p.recompute)
	r.on("POST", "/settings/facts/:id/cancel", access.Administer, p.recomputeCancel)
	r.on("POST", "/settings/facts/:id/resume", access.Administer, p.recomputeResume)
	r.on("GET", "/settings/erased", access.Administer, p.erasedForm)
	r.on("POST", "/settings/erased", access.Administer, p.erasedLift)
	r.on("GET", "/settings/audit", access.Administer, p.auditLog)
	r.on("GET", "/settings/jobs", access.Administer, p.jobs)
	r.on("POST", "/settings/jobs/:id/retry", access.Administer, p.jobRetry)
}

// chain is what every page goes through, from the outside in.
func (p *Pages) chain(action echo.HandlerFunc) echo.HandlerFunc {
	return headers(limitBody(p.withSession(p.guard(p.checkOrigin(p.identify(action))))))
}

type router struct {
	p *Pages
	e *echo.Echo
}

// on is a page for those whose role has the permission.
func (r router) on(method, path string, needs access.Permission, action echo.HandlerFunc) {
	r.anyone(method, path, func(c echo.Context) error {
		if err := access.Require(ctx(c), needs); err != nil {
			return err
		}
		return action(c)
	})
}

// anyone is a page for all who are signed in and have a password of their own.
func (r router) anyone(method, path string, action echo.HandlerFunc) {
	r.open(method, path, func(c echo.Context) error {
		if access.From(ctx(c)).Kind != "user" {
			return fault.New(fault.Unauthenticated, "Sign in first")
		}
		if c.Get("must_change") == true && path != "/password" {
			return c.Redirect(http.StatusSeeOther, "/password")
		}
		return action(c)
	})
}

// open is a page for strangers too.
func (r router) open(method, path string, action echo.HandlerFunc) {
	r.e.Add(method, path, r.p.chain(action))
}
