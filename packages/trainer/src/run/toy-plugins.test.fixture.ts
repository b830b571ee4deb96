/** The toys as a module for a worker thread: its default export is the list of plugins. */
export { toyPlugins as default } from './toy.test.fixture.js'
