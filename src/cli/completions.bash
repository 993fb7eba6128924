
# To bash, `=` and `:` end a word: `--flag=value` are three. This joins what stands together before the program is asked,
# and takes away from each answer what bash keeps on the line.
_oversell_sim() {
    local line="$COMP_LINE" joined=() last="" place word gap
    for ((place = 0; place <= COMP_CWORD; place++)); do
        word="${COMP_WORDS[place]}"
        gap="${line%%[![:space:]]*}"
        line="${line#"$gap"}"
        line="${line#"$word"}"
        # Of the word under the cursor, only what stands before it.
        if ((place == COMP_CWORD)) && [[ ! "$word" =~ ^[=:]+$ ]]; then
            word="$2"
        fi
        if ((place > 0)) && [[ -z "$gap" && ("$word" =~ ^[=:]+$ || "$last" =~ ^[=:]+$) ]]; then
            joined[${#joined[@]} - 1]+="$word"
        else
            joined+=("$word")
        fi
        last="$word"
    done
    local COMP_WORDS=("${joined[@]}") COMP_CWORD=$((${#joined[@]} - 1))
    local current="${joined[COMP_CWORD]}"
    _clap_complete_oversell_sim "$1" "$current" "$3"
    if [[ "$current" == *[=:]* && -n "${COMPREPLY-}" ]]; then
        COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*[=:]}"}"}")
    fi
}
_oversell_sim_registered=$(complete -p oversell-sim)
eval "${_oversell_sim_registered/_clap_complete_oversell_sim/_oversell_sim}"
unset _oversell_sim_registered
