"""What the Game Platform cannot do, in the words that stand where a coach would try it."""

RENAME_TEAM = "The Game Platform cannot rename a team: it keeps the name it was first given."
CHANGE_TEAM = "The Game Platform cannot change a team's division or affiliation once it has the team."
CHANGE_COACH = "The Game Platform cannot give a team or a competitor to another coach."
CHANGE_USER = "The Game Platform cannot change an account: it keeps the name that it was first given."
CHANGE_EMAIL = (
    "The Game Platform cannot change the e-mail address of an account. Ask the platform to change it there too;"
    " until then the competitor signs in there with the old address."
)
DELETE_USER = "The Game Platform cannot delete an account: take the competitor off the team, and ask the platform."
ARCHIVE_TEAM = "The Game Platform cannot archive a team: its members stay on it there until they are taken off."
