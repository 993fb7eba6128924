# bash, in ~/.bashrc (and zsh in ~/.zshrc, after compinit)
source <(oversell-sim completions bash)
# fish
mkdir -p ~/.config/fish/completions
oversell-sim completions fish > ~/.config/fish/completions/oversell-sim.fish
