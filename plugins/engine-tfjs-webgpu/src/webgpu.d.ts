// This package builds without it: the parts in use are typed in open-adapter.ts.
declare module 'webgpu'
