package content

// Compiled is a template that is ready to be rendered, by many goroutines at once.
type Compiled struct {
	template Template
}

// Compile checks and compiles a template. names are the customer fields it may use (customers.Service.FieldNames). An
// Invalid error has one field ("subject", "html" or "body") with its line for each fault.
func Compile(t Template, names []string) (*Compiled, error) { panic("TODO") }

// Template gives what was compiled.
func (c *Compiled) Template() Template { return c.template }

// Links gives the distinct URLs that can be tracked, as written in the template.
func (c *Compiled) Links() []string { panic("TODO") }

// Uses tells whether the template prints a variable: Uses("unsubscribe_url").
func (c *Compiled) Uses(variable string) bool { panic("TODO") }

// Render fills in the template. rewrite gets each trackable URL as written in the template and gives the one to print;
// nil prints the URLs filled in but otherwise as they are. An Invalid error says what a customer's data broke.
func (c *Compiled) Render(vars map[string]any, rewrite func(url string) string) (Rendered, error) {
	panic("TODO")
}

// RenderURL fills in the tags of a link's target, at the click.
func RenderURL(url string, vars map[string]any) (string, error) { panic("TODO") }
