// @ts-check
/** One suite of another project, run on Attune. */

/**
 * `against` is the other project with its version; `failed` lists the cases that differ, each with the reason.
 * @typedef {object} SuiteResult
 * @property {string} suite
 * @property {string} against
 * @property {number} cases
 * @property {readonly { name: string, reason: string }[]} failed
 */

/** Fetches packages and runs a suite in an empty folder. @typedef {(folder: string) => Promise<SuiteResult[]>} Suite */

export {}
