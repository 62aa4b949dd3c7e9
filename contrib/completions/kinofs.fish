# fish completion for kinofs(1)
set -l commands check wait status retry cancel release models credits doctor
set -l first "not __fish_seen_subcommand_from $commands"

complete -c kinofs -n $first -a check -d 'what would be sent, and its price; sends nothing'
complete -c kinofs -n $first -a wait -d 'until the jobs have ended; prints the videos'
complete -c kinofs -n $first -a status -d 'every job and its state'
complete -c kinofs -n $first -a retry -d 'order another take'
complete -c kinofs -n $first -a cancel -d 'withdraw a job that was not submitted yet'
complete -c kinofs -n $first -a release -d 'let a held job go'
complete -c kinofs -n $first -a models -d 'the models'
complete -c kinofs -n $first -a credits -d 'what is left on each account'
complete -c kinofs -n $first -a doctor -d 'what is not as it should be, and what to do'
complete -c kinofs -n $first -s f -d 'stay in the foreground'
complete -c kinofs -n $first -s d -d 'and trace every request'
complete -c kinofs -n $first -s o -x -a 'store= config= settle= lenient xattr allow_other' -d options
complete -c kinofs -n $first -l simulate -d 'send nothing, pay nothing'
complete -c kinofs -n '__fish_seen_subcommand_from check' -l model -x -d 'of a file outside a mount' \
	-a "(kinofs models 2>/dev/null | string replace -r ' .*' '')"
complete -c kinofs -n '__fish_seen_subcommand_from retry' -s n -x -d 'how many takes'
complete -c kinofs -n '__fish_seen_subcommand_from wait' -l timeout -x -d seconds
complete -c kinofs -n '__fish_seen_subcommand_from status models' -l json -d 'as JSON'
