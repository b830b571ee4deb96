/** What the command's exit status means. */
export const EXIT = {
  /** All was done. */
  done: 0,
  /** Something happened that should not have: a mistake in Attune or in a plugin. */
  unexpected: 1,
  /** The usage or the input was wrong; the message says how to mend it. */
  wrongInput: 2,
  /** Stopped by Ctrl-C, after saving. */
  interrupted: 130,
} as const

/** The same for people. */
export const exitCodesText = `Exit codes:
  0    done
  1    unexpected: a mistake in Attune or in a plugin; please report it
  2    wrong usage or input; the message says what and what to do
  130  stopped by Ctrl-C, after saving`
