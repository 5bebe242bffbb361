package web

import "github.com/labstack/echo/v4"

type homePage struct {
	frame
}

var homeView = pageView[homePage]("home")

func (p *Pages) home(c echo.Context) error {
	return show(p, c, homeView, homePage{frame: p.frame(c, homePlace, "Home")})
}
