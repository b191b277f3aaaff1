export { type Authority, openAuthority } from './authority.ts'
export {
  type CertificateAndKey,
  ownCertificate,
  type ServerCertificate,
  suppliedCertificate,
} from './server-certificate.ts'
export { type Issued, requestedKey } from './x509.ts'
