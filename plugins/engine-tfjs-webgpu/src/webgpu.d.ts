// The package is not needed to build this one: what is used of it is typed in open-adapter.ts.
declare module 'webgpu'
