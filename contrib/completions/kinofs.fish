# fish completion for kinofs(1)
set -l commands check wait status spend show retry cancel release models credits setup doctor
set -l first "not __fish_seen_subcommand_from $commands"

complete -c kinofs -n $first -a check -d 'what would be sent, and its price; sends nothing'
complete -c kinofs -n $first -a wait -d 'until the jobs have ended; prints the results'
complete -c kinofs -n $first -a status -d 'the jobs under way, and what was spent'
complete -c kinofs -n $first -a spend -d 'where the money of a month went'
complete -c kinofs -n $first -a show -d 'what happened to a job, and what it costs'
complete -c kinofs -n $first -a retry -d 'order another take'
complete -c kinofs -n $first -a cancel -d 'withdraw a job that was not submitted yet'
complete -c kinofs -n $first -a release -d 'let a held job go'
complete -c kinofs -n $first -a models -d 'the models'
complete -c kinofs -n $first -a credits -d 'what is left on each account'
complete -c kinofs -n $first -a setup -d 'asks for a key, tries it, and writes it down'
complete -c kinofs -n $first -a doctor -d 'what is not as it should be, and what to do'
complete -c kinofs -n $first -s f -d 'stay in the foreground'
complete -c kinofs -n $first -s d -d 'and trace every request'
complete -c kinofs -n $first -s o -x -a 'store= journal= config= settle= lenient nonempty xattr allow_other' -d options
complete -c kinofs -n $first -l simulate -d 'send nothing, pay nothing'
complete -c kinofs -n '__fish_seen_subcommand_from status' -s a -d 'also what has ended'
complete -c kinofs -n '__fish_seen_subcommand_from status' -l state -x -d 'only in this state' \
	-a 'waiting held queued uploading submitting running downloading done rejected failed unknown cancelled'
complete -c kinofs -n '__fish_seen_subcommand_from status' -l watch -d 'draw it again each second'
complete -c kinofs -n '__fish_seen_subcommand_from check status' -l model -x -d 'of this model' \
	-a "(kinofs models 2>/dev/null | string replace -r ' .*' '')"
complete -c kinofs -n '__fish_seen_subcommand_from spend' -l month -x -d 'not this one' \
	-a "(awk '\$3 == \"fuse.kinofs\" { print \$2 \"/.kinofs/spending\" }' /proc/self/mounts |
		xargs -r ls 2>/dev/null | string match -r '^[0-9-]+' | sort -u)"
complete -c kinofs -n '__fish_seen_subcommand_from spend' -l by -x -d 'what a line is of' \
	-a 'model folder day user'
complete -c kinofs -n '__fish_seen_subcommand_from spend' -l csv -d 'for a spreadsheet'
complete -c kinofs -n '__fish_seen_subcommand_from retry' -s n -x -d 'how many takes'
complete -c kinofs -n '__fish_seen_subcommand_from retry' -l failed -d 'what failed below a folder'
complete -c kinofs -n '__fish_seen_subcommand_from retry release' -s y -d 'pay for all without a question'
complete -c kinofs -n '__fish_seen_subcommand_from wait' -l timeout -x -d seconds
complete -c kinofs -n '__fish_seen_subcommand_from status models' -l json -d 'as JSON'
complete -c kinofs -n '__fish_seen_subcommand_from models' -x -a update -d 'ask the provider for new and changed ones'
