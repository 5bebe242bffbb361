package reports

// HistorySQL is the statement of a page of a customer's history.
const HistorySQL = historySQL
