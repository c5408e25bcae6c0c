//! Certificates bundled as PEM or as a certs-only PKCS#7 (RFC 2315, RFC 5652 §5).
