// @ts-check
/**
 * Prints the program of the Chromium of this machine, if there is one. Nx includes the output in the hash of the tests that need it, so that
 * tests skipped without a browser run once it is available.
 */
import { findChromium } from './chromium.mjs'

console.log(findChromium()?.program.replace(`${process.cwd()}/`, '') ?? 'absent')
