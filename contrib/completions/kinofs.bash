# bash completion for kinofs(1)                                              -*- shell-script -*-

_kinofs_mounts()
{
	findmnt -n -l -t fuse.kinofs -o TARGET
}

# The months in which something was ordered.
_kinofs_months()
{
	local mount
	_kinofs_mounts | while read -r mount; do
		ls "$mount/.kinofs/spending" 2>/dev/null
	done | sed -n 's/\.json$//p' | sort -u
}

# The lines that go on from the word, as paths below this folder, of the home, or whole.
_kinofs_paths()
{
	local word=${COMP_WORDS[COMP_CWORD]//\\/} tilde=\~ path
	compopt -o filenames
	while read -r path; do
		case $word in
		\~*) path=${path/#"$HOME"/$tilde} ;;
		/*) ;;
		*) path=${path#"$PWD"/} ;;
		esac
		[[ $path != "$word"* ]] || COMPREPLY+=("$path")
	done
}

# Jobs in one of these states; any file where none of them is meant.
_kinofs_jobs()
{
	_kinofs_paths < <(kinofs status --paths --state "$1" 2>/dev/null)
	((${#COMPREPLY[@]})) || compopt -o default
}

# Words separated by spaces; of a list between commas, the last.
_kinofs_words()
{
	local word=${COMP_WORDS[COMP_CWORD]} list=
	[[ $2 != list || $word != *,* ]] || list=${word%,*},
	mapfile -t COMPREPLY < <(compgen -P "$list" -W "$1" -- "${word#"$list"}")
}

_kinofs_options()
{
	case $1 in
	check) _kinofs_words "--model --help" ;;
	wait) _kinofs_words "--timeout --help" ;;
	status) _kinofs_words "-a --state --model --watch --json --paths --help" ;;
	spend) _kinofs_words "--month --by --csv --help" ;;
	models) _kinofs_words "--json --help" ;;
	retry) _kinofs_words "-n --failed -y --help" ;;
	release) _kinofs_words "-y --help" ;;
	show | cancel | credits | setup | doctor) _kinofs_words "--help" ;;
	*) _kinofs_words "-f -d -o --simulate --help --version" ;;
	esac
}

_kinofs_operands()
{
	local ended=done,failed,unknown,cancelled,rejected under_way=queued,uploading,submitting,running,downloading
	case $1 in
	check) compopt -o default ;;
	wait) _kinofs_jobs "waiting,$under_way" ;;
	show) _kinofs_jobs "waiting,held,$under_way,$ended" ;;
	retry)
		[[ " ${COMP_WORDS[*]} " != *" --failed "* ]] || ended=failed
		_kinofs_jobs "$ended"
		;;
	cancel) _kinofs_jobs waiting,held,queued,uploading ;;
	release) _kinofs_jobs held ;;
	status | spend) _kinofs_paths < <(_kinofs_mounts) ;;
	models)
		if ((COMP_CWORD == 2)); then
			_kinofs_words update
		else
			_kinofs_words "$(kinofs models 2>/dev/null | cut -d' ' -f1)"
		fi
		;;
	credits | setup | doctor) ;;
	*) compopt -o dirnames ;;
	esac
}

_kinofs()
{
	local word=${COMP_WORDS[COMP_CWORD]}

	case ${COMP_WORDS[COMP_CWORD - 1]} in
	--state)
		_kinofs_words "waiting held queued uploading submitting running downloading done rejected failed unknown cancelled" list
		;;
	--month) _kinofs_words "$(_kinofs_months)" ;;
	--by) _kinofs_words "model folder day user" ;;
	--model) _kinofs_words "$(kinofs models 2>/dev/null | cut -d' ' -f1)" ;;
	-o)
		compopt -o nospace
		_kinofs_words "store= journal= config= settle= lenient nonempty xattr allow_other" list
		;;
	--timeout | -n) ;;
	*)
		if [[ $word == -* ]]; then
			_kinofs_options "${COMP_WORDS[1]}"
		elif ((COMP_CWORD == 1)); then
			compopt -o dirnames
			_kinofs_words "check wait status spend show retry cancel release models credits setup doctor"
		else
			_kinofs_operands "${COMP_WORDS[1]}"
		fi
		;;
	esac
}

complete -F _kinofs kinofs
