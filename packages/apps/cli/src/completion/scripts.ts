/** Ask `berth __complete -- WORDS...`: one candidate a line, `text<TAB>summary`; a last line `:files` allows file names. */

const bash = `# bash completion for berth: source it, or put it into /usr/share/bash-completion/completions/berth
_berth() {
    local line files= candidates=() whole=() current seen=\${COMP_WORDS[COMP_CWORD]}
    # bash takes = and : for words of their own: put the words together again.
    if declare -F _get_comp_words_by_ref >/dev/null; then
        local cur cword
        _get_comp_words_by_ref -n =: -w whole -i cword -c cur
        whole=("\${whole[@]:0:cword}" "$cur")
    else
        read -ra whole <<<"\${COMP_LINE:0:COMP_POINT}"
        if [[ \${COMP_LINE:COMP_POINT-1:1} == ' ' ]]; then whole+=(''); fi
    fi
    current=\${whole[\${#whole[@]}-1]}
    while IFS= read -r line; do
        if [[ $line == :files ]]; then files=1; else candidates+=("\${line%%$'\\t'*}"); fi
    done < <("\${COMP_WORDS[0]}" __complete -- "\${whole[@]:1}" 2>/dev/null)
    COMPREPLY=("\${candidates[@]}")
    if [[ $files ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
    # What stands before bash's own idea of the word stays as it is.
    if [[ $seen == [=:] ]]; then seen=; fi
    if [[ $current != "$seen" && $current == *"$seen" ]]; then COMPREPLY=("\${COMPREPLY[@]#"\${current%"$seen"}"}"); fi
}
complete -F _berth berth
`

const zsh = `#compdef berth
# zsh completion for berth: put it into a folder of $fpath as _berth
_berth() {
    local line files= text
    local -a candidates
    while IFS= read -r line; do
        if [[ $line == :files ]]; then files=1; continue; fi
        text=\${line%%$'\\t'*}
        candidates+=("\${text//:/\\\\:}:\${line#*$'\\t'}")
    done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
    (( \${#candidates} )) && _describe -V 'berth' candidates
    [[ -n $files ]] && _files
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _berth "$@"; else compdef _berth berth; fi
`

const fish = `# fish completion for berth: put it into ~/.config/fish/completions/berth.fish
function __berth_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete -- $words[2..-1] 2>/dev/null)
        if test "$line" = ':files'
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c berth -f -a '(__berth_complete)'
`

export const completionScripts: Readonly<Record<string, string>> = { bash, zsh, fish }
