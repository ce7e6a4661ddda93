export { type Buildkit, type BuildkitOptions, openBuildkit } from './open-buildkit.ts'
