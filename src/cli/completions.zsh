
# A file `_oversell-sim` in a folder of fpath is run for the first time when Tab is pressed. Then it has to answer as well.
if [[ "${funcstack[1]}" == _oversell-sim ]]; then
    _clap_dynamic_completer_oversell_sim "$@"
fi
