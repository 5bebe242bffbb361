// Command aldine is the whole program: server, workers, migrations and the tools of the shell in one binary.
//
//	main.go      the command line as one struct; each command is a type with a Run method
//	config.go    settings of the process, from flags and ALDINE_* variables, checked all at once
//	app.go       wiring: opens the database and joins the packages into one running whole
//	serve.go     the commands that stay: serve and work
//	*_cmd.go     the commands that end
package main
