# bash, in ~/.bashrc (and zsh in ~/.zshrc, after compinit)
source <(oversell-sim completions bash)
# fish
oversell-sim completions fish > ~/.config/fish/completions/oversell-sim.fish
