package normal

import "strings"

// nicknameRows are names that one person may go by; the first of a row stands for all of them.
const nicknameRows = `
alexander alex alec sandy sasha xander
alexandra alex sandra lexi alexa
albert al bert bertie
alfred alf alfie fred
amanda mandy
andrew andy drew
angela angie
anthony tony antony anton
arthur art artie
barbara barb babs
benjamin ben benny benji
bernard bernie
catherine cathy cath kate katie kathy kathryn katherine katharine kitty kath cate
charles charlie chuck chas
charlotte charlie lottie
christina chris tina chrissie
christine chris chrissy
christopher chris kit topher
daniel dan danny
david dave davey
deborah deb debbie debra
dominic dom
donald don donnie
dorothy dot dottie
douglas doug
edward ed eddie ted ned teddy
eleanor ellie nell nora elinor
elizabeth liz beth lizzie betty eliza betsy lisa libby elisabeth
emily em emmy
evelyn evie
florence flo flossie
frances fran frankie
francis frank frankie
frederick fred freddie freddy frederic
gabriel gabe
geoffrey geoff jeffrey jeff jeffery
george georgie
gerald gerry jerry
gregory greg
harold harry hal
harriet hattie
henry harry hank hal
isabella bella izzy isabel isabelle
jacob jake
jacqueline jackie
james jim jimmy jamie jem
janet jan
jennifer jen jenny jennie
jessica jess jessie
joanna jo joanne
john jack johnny jon
jonathan jon johnny jonny
joseph joe joey jo
joshua josh
judith judy
kenneth ken kenny
kimberly kim
laura laurie
lawrence larry laurence
leonard len lenny leo
louis lou louie lewis
lucas luke
margaret maggie meg peggy marge madge margie greta
mark marc
martha marty
martin marty
mary molly polly mae
matthew matt matty
maximilian max
maxwell max
melissa mel missy
michael mike mick mickey micky
michelle shelly
mohammed mohammad muhammad mohamed mo
nancy nan
natalie nat
nathan nate nat
nathaniel nate nat nathan
nicholas nick nicky nicolas
nicola nicky
oliver ollie
olivia liv livvy
pamela pam
patricia pat patty trish tricia
patrick pat paddy
peter pete
philip phil phillip
rachel rach
raymond ray
rebecca becky becca
reginald reg reggie
richard rick dick ricky rich richie
robert bob rob bobby robbie bert
ronald ron ronnie
rosemary rose rosie
samantha sam sammy
samuel sam sammy
sarah sally sara
sebastian seb
sophia sophie
stephanie steph
stephen steve steven stevie stefan
susan sue susie suzanne suzy
terence terry terrence
theodore ted theo teddy
theresa terry tess teresa
thomas tom tommy
timothy tim
valerie val
veronica ronnie
victoria vicky vic tori
vincent vince
virginia ginny
walter walt wally
wilhelm willi
wilhelmina mina
william bill will billy willie liam
zachary zach zack
johann hans johannes
joachim achim jochen
heinrich heinz
juergen jorg joerg
friedrich fritz
elfriede friede
katharina kathi kaethe
`

// nicknameRoots gives each name the names it may stand for. A name with several roots (alex) agrees with any of them.
var nicknameRoots = func() map[string][]string {
	m := map[string][]string{}
	for _, row := range strings.Split(strings.TrimSpace(nicknameRows), "\n") {
		names := strings.Fields(row)
		for _, n := range names {
			m[n] = append(m[n], names[0])
		}
	}
	return m
}()

// Nicknames gives each name, in folded form, with the names that it may stand for. It is not to be changed.
func Nicknames() map[string][]string { return nicknameRoots }

// SameName tells of two folded given names whether one may be a short form of the other, or both of a third.
func SameName(a, b string) bool {
	for _, x := range nicknameRoots[a] {
		for _, y := range nicknameRoots[b] {
			if x == y {
				return true
			}
		}
	}
	return false
}
