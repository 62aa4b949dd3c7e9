# fish completion for kinofs(1)

function __kinofs_mounts
	__kinofs_paths (findmnt -n -l -t fuse.kinofs -o TARGET)
end

# The months in which something was ordered.
function __kinofs_months
	for mount in (findmnt -n -l -t fuse.kinofs -o TARGET)
		ls $mount/.kinofs/spending 2>/dev/null | string replace -f .json ''
	end
end

function __kinofs_models
	kinofs models 2>/dev/null | string replace -r ' .*' ''
end

# Paths as they go on from the word: below this folder, of the home, or whole.
function __kinofs_paths
	switch "$(commandline -ct)"
		case '~*'
			string replace -r "^$(string escape --style=regex $HOME)(?=/)" '~' -- $argv
		case '/*'
			string join \n -- $argv
		case '*'
			string replace -r "^$(string escape --style=regex $PWD)/" '' -- $argv
	end
end

# Jobs in one of these states; any file where none of them is meant.
function __kinofs_jobs -a states
	set -l word (string unescape -- "$(commandline -ct)")
	set -l jobs (__kinofs_paths (kinofs status --paths --state $states 2>/dev/null))
	if string match -q -r "^$(string escape --style=regex -- "$word")" -- $jobs
		string join \n -- $jobs
	else
		__fish_complete_path "$word"
	end
end

set -l commands check wait status spend show retry cancel release models credits setup doctor
set -l first "not __fish_seen_subcommand_from $commands"
set -l of __fish_seen_subcommand_from
set -l under_way queued,uploading,submitting,running,downloading
set -l ended done,failed,unknown,cancelled,rejected

complete -c kinofs -f
complete -c kinofs -n $first -a '(__fish_complete_directories)'
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
complete -c kinofs -n $first -s o -x -d options \
	-a "(__fish_complete_list , 'string split \" \" \"store= journal= config= settle= lenient nonempty xattr allow_other\"')"
complete -c kinofs -n $first -l simulate -d 'send nothing, pay nothing'
complete -c kinofs -n $first -l version -d 'which one this is'
complete -c kinofs -l help -d 'how it is used'
complete -c kinofs -n "$of check" -F
complete -c kinofs -n "$of wait" -a "(__kinofs_jobs waiting,$under_way)"
complete -c kinofs -n "$of show" -a "(__kinofs_jobs waiting,held,$under_way,$ended)"
complete -c kinofs -n "$of retry; and not contains -- --failed (commandline -opc)" -a "(__kinofs_jobs $ended)"
complete -c kinofs -n "$of retry; and contains -- --failed (commandline -opc)" -a '(__kinofs_jobs failed)'
complete -c kinofs -n "$of cancel" -a '(__kinofs_jobs waiting,held,queued,uploading)'
complete -c kinofs -n "$of release" -a '(__kinofs_jobs held)'
complete -c kinofs -n "$of status spend" -a '(__kinofs_mounts)'
complete -c kinofs -n "$of status" -s a -d 'also what has ended'
complete -c kinofs -n "$of status" -l state -x -d 'only in these states' \
	-a "(__fish_complete_list , 'string split \" \" \"waiting held queued uploading submitting running downloading done rejected failed unknown cancelled\"')"
complete -c kinofs -n "$of status" -l watch -d 'draw it again each second'
complete -c kinofs -n "$of status" -l paths -d 'a file of each'
complete -c kinofs -n "$of check status" -l model -x -d 'of this model' -a '(__kinofs_models)'
complete -c kinofs -n "$of spend" -l month -x -d 'not this one' -a '(__kinofs_months)'
complete -c kinofs -n "$of spend" -l by -x -d 'what a line is of' -a 'model folder day user'
complete -c kinofs -n "$of spend" -l csv -d 'for a spreadsheet'
complete -c kinofs -n "$of retry" -s n -x -d 'how many takes'
complete -c kinofs -n "$of retry" -l failed -d 'what failed below a folder'
complete -c kinofs -n "$of retry release" -s y -d 'pay for all without a question'
complete -c kinofs -n "$of wait" -l timeout -x -d seconds
complete -c kinofs -n "$of status models" -l json -d 'as JSON'
complete -c kinofs -n "$of models; and not contains update (commandline -opc)" -a update \
	-d 'ask the provider for new and changed ones'
complete -c kinofs -n "$of models; and contains update (commandline -opc)" -a '(__kinofs_models)'
