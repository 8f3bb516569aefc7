# zsh -f complete.zsh FOLDER SCRIPT LINE: prints what an interactive zsh in this folder would offer if somebody typed the
# line and pressed Tab, one candidate in a row.
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PROMPT=; cd ${(q)1}; autoload -Uz compinit; compinit -u -D; LISTMAX=10000; bindkey '^I' complete-word"
zpty -w shell "source ${(q)2}"
# Every candidate that the completion adds goes by here; -O, -A and -D only ask what would fit.
zpty -w shell 'compadd() {
  local -a fitting
  if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then builtin compadd "$@"; return; fi
  builtin compadd -O fitting "$@"
  local each
  for each in $fitting; do print -r -- "<<$each>>"; done
  builtin compadd "$@"
}'
# Only the line editor takes Ctrl-U as it is meant here, so it has to be there first.
zpty -w shell 'zle-line-init() { print begin""ning }; zle -N zle-line-init'
zpty -r shell seen '*beginning*'
# Ctrl-U takes the line away.
zpty -n -w shell "$3"$'\t\C-u'
zpty -w shell 'print en""ding'
zpty -r shell seen '*ending*'
zpty -d shell
while [[ $seen =~ '<<([^>]*)>>(.*)' ]]; do
  print -r -- $match[1]
  seen=$match[2]
done
