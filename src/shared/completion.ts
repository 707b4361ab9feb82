/**
 * Completion of command lines in bash, zsh and fish. The shells' scripts only call `COMMAND __complete WORDS`: TypeScript code finds what may stand
 * at the cursor, once for all three. Pure.
 */

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

/** The hidden first argument that the scripts pass. The words up to the cursor follow it; the last one may be empty. */
export const completeCommand = '__complete';

export interface Candidate {
  readonly word: string;
  /** A description for people; empty if there is none. */
  readonly about: string;
}

export interface Completion {
  readonly candidates: readonly Candidate[];
  /** The candidates that the shell adds: paths, or those for the command that begins at this word (0: the first after our own name). */
  readonly more: 'nothing' | 'files' | 'folders' | { readonly commandAt: number };
}

export function onlyThese(candidates: readonly Candidate[]): Completion {
  return { candidates, more: 'nothing' };
}

/** The output for a script: a line for each candidate, its word and its description behind a tab; then a line that says what to add. */
export function renderCompletion({ candidates, more }: Completion, word: string): string {
  const lines = candidates
    .filter((one) => one.word.startsWith(word))
    .map((one) => `${one.word}\t${one.about.replaceAll(/\s+/g, ' ')}`);
  const last = typeof more === 'string' ? more : `command ${more.commandAt}`;
  return `${[...lines, `:${last}`].join('\n')}\n`;
}

/** The script that a shell evaluates so that it completes `command`. */
export function completionScript(shell: Shell, command: string): string {
  const name = `_${command.replaceAll('-', '_')}`;
  switch (shell) {
    case 'bash':
      return bashScript(command, name);
    case 'zsh':
      return zshScript(command, name);
    case 'fish':
      return fishScript(command, `_${name}`);
  }
}

/**
 * Bash splits words at `=` and `:` as well, and replaces only the last part. So the script splits the line itself, and removes from each candidate
 * the part up to the last of those characters.
 */
function bashScript(command: string, name: string): string {
  return `# Completion of ${command} for bash. In ~/.bashrc: source <(${command} completion bash)
${name}() {
  local line=\${COMP_LINE:0:COMP_POINT} current before reply last index
  local -a words replies
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]} - 1]}
  mapfile -t replies < <("$1" ${completeCommand} "\${words[@]:1}" 2>/dev/null)
  ((\${#replies[@]} > 0)) || return
  last=\${replies[\${#replies[@]} - 1]}
  unset 'replies[\${#replies[@]}-1]'
  before=
  [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && before=\${current%"\${current##*:}"}
  [[ $current == *=* && $COMP_WORDBREAKS == *=* ]] && before=\${current%"\${current##*=}"}
  COMPREPLY=()
  for reply in "\${replies[@]}"; do
    reply=\${reply%%$'\\t'*}
    COMPREPLY+=("\${reply#"$before"}")
  done
  case $last in
    :files) compopt -o filenames; mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -f -- "\${current#"$before"}") ;;
    :folders) compopt -o filenames; mapfile -t -O \${#COMPREPLY[@]} COMPREPLY < <(compgen -d -- "\${current#"$before"}") ;;
    ':command '*)
      index=$((\${last#:command } + 1))
      while ((index < COMP_CWORD)) && [[ \${COMP_WORDS[index]} != "\${words[\${last#:command } + 1]}" ]]; do ((index++)); done
      if declare -F _command_offset >/dev/null; then _command_offset "$index"
      elif ((index == COMP_CWORD)); then mapfile -t COMPREPLY < <(compgen -c -- "$current")
      else compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$current"); fi
      ;;
  esac
  [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *= ]] && compopt -o nospace
  return 0
}
complete -F ${name} ${command}
`;
}

function zshScript(command: string, name: string): string {
  return `#compdef ${command}
# Completion of ${command} for zsh. In ~/.zshrc, after compinit: source <(${command} completion zsh)
${name}() {
  local -a lines candidates
  local line last
  lines=("\${(@f)$("$words[1]" ${completeCommand} "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  last=$lines[-1]
  lines=("\${(@)lines[1,-2]}")
  for line in "\${(@)lines}"; do
    candidates+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  if [[ $#candidates == 1 && $candidates[1] == *=:* ]]; then
    _describe -t values value candidates -S ''
  elif (( $#candidates )); then
    _describe -t values value candidates
  fi
  case $last in
    :files) _files ;;
    :folders) _files -/ ;;
    ':command '*)
      shift $(( \${last#:command } + 1 )) words
      (( CURRENT -= \${last#:command } + 1 ))
      _normal
      ;;
  esac
}
compdef ${name} ${command}
`;
}

function fishScript(command: string, name: string): string {
  return `# Completion of ${command} for fish. Once: ${command} completion fish > ~/.config/fish/completions/${command}.fish
function ${name}
    set -l words (commandline -opc) (commandline -ct)
    set -l lines ($words[1] ${completeCommand} $words[2..-1] 2>/dev/null)
    set -q lines[1]; or return
    set -l last $lines[-1]
    set -e lines[-1]
    test (count $lines) -gt 0; and printf '%s\\n' $lines
    switch $last
        case ':files'
            __fish_complete_path (commandline -ct)
        case ':folders'
            __fish_complete_directories (commandline -ct) ''
        case ':command *'
            set -l at (math (string replace ':command ' '' -- $last) + 2)
            __fish_complete_subcommand --commandline $words[$at..-1]
    end
end
complete -c ${command} -f -a '(${name})'
`;
}
