//! `embedded_io` (release 0.7) on grants, peeked frames and errors.
#![cfg(feature = "embedded-io-07")]

use crate::common::Region;
use embedded_io::{Error, ErrorKind, Read, ReadExactError, Write};
use strait_core::{Channel, Plan, RecvError, SendError, TryRecvError, TrySendError, Violation};

const PLAN: Plan<'_> = Plan::new(&[Channel::frames("f", 256, 64)]).line(4).participants(2);

#[test]
fn a_frame_is_written_and_read_as_a_stream() {
    let region = Region::new(&PLAN);
    let (mut tx, mut rx) = (region.join().producer("f").unwrap(), region.join().consumer("f").unwrap());
    let mut grant = tx.reserve(64).unwrap();
    let mut writer = grant.writer();
    write!(writer, "speed {} rpm, {:.1} degrees", 1500, 36.6).unwrap();
    writer.flush().unwrap();
    let written = writer.written();
    grant.commit_len(written);

    let mut peek = rx.peek().unwrap();
    let mut start = [0; 11];
    peek.read_exact(&mut start).unwrap();
    assert_eq!(&start, b"speed 1500 ");
    let mut rest = [0; 64];
    let count = peek.read(&mut rest).unwrap();
    assert_eq!(&rest[..count], b"rpm, 36.6 degrees");
    assert_eq!(peek.read(&mut rest), Ok(0), "the end of the frame");
    assert!(matches!(peek.read_exact(&mut start), Err(ReadExactError::UnexpectedEof)));
    peek.release();
}

#[test]
fn a_stream_ends_where_the_reservation_does() {
    let region = Region::new(&PLAN);
    let mut tx = region.join().producer("f").unwrap();
    let mut grant = tx.reserve(5).unwrap();
    let mut writer = grant.writer();
    assert_eq!((writer.write(b"abc"), writer.write(b"defg"), writer.written()), (Ok(3), Ok(2), 5));
    assert_eq!(writer.write(b"h"), Err(TrySendError::TooLarge));
    assert_eq!(writer.write(b""), Ok(0));
    grant.commit();
    assert_eq!(region.join().consumer("f").unwrap().try_recv_frame::<8>().unwrap().payload(), b"abcde");
}

#[test]
fn errors_have_kinds() {
    let fault = Violation::Index;
    assert_eq!(TrySendError::Fault(fault).kind(), ErrorKind::InvalidData);
    assert_eq!(SendError::Fault(fault).kind(), ErrorKind::InvalidData);
    assert_eq!(TryRecvError::Fault(fault).kind(), ErrorKind::InvalidData);
    assert_eq!(RecvError::Fault(fault).kind(), ErrorKind::InvalidData);
    assert_eq!(
        (SendError::TimedOut.kind(), RecvError::TimedOut.kind()),
        (ErrorKind::TimedOut, ErrorKind::TimedOut)
    );
    assert_ne!(TrySendError::Full.kind(), TrySendError::TooLarge.kind());
}
