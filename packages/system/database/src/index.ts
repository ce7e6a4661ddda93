export { type Database, type Migration, openDatabase, type Row, type Statement, type Value } from './database.ts'
