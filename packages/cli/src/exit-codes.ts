/** Exit codes of the command. */
export const EXIT = {
  /** Success. */
  done: 0,
  /** Unexpected error: a bug in Attune or in a plugin. */
  unexpected: 1,
  /** Invalid usage or input; the message says how to fix it. */
  wrongInput: 2,
  /** Stopped by Ctrl-C, after saving. */
  interrupted: 130,
} as const

/** The exit codes as help text. */
export const exitCodesText = `Exit codes:
  0    success
  1    unexpected error: a bug in Attune or in a plugin; please report it
  2    invalid usage or input; the message says how to fix it
  130  interrupted by Ctrl-C, after saving`
