//! A contract's server in Rust, called through the functions for calls, as the header's head says.
#![cfg(all(unix, feature = "os"))]

use std::ffi::{CString, c_void};
use std::mem::MaybeUninit;
use std::time::Duration;

use strait::contract::{Contract, ServeContractError};
use strait::{Plan, RegionFile, RegionOptions};
use strait_capi::{
    strait_call_client_call_timeout, strait_call_client_close, strait_call_client_open, strait_call_client_t,
    strait_open, strait_region_close, strait_region_t, strait_status, strait_type_hash,
};

strait::contract! {
    /// What a lamp does.
    contract Lamp: client LampClient, server LampServer {
        /// Sets the brightness in percent; returns what it was.
        fn set(percent: u32) -> u32;
        /// Returns how often it was set.
        fn times(of: [u64; 3]) -> u64;
    }
}

const PLAN: Plan = Plan::new(&[Lamp::plan_channel("lamp", 2)]);
const PATIENCE: Duration = Duration::from_secs(20);

/// The text of the contract, as a program in C has it.
const TEXT: &str = "Lamp\nset(u32)->u32\ntimes([3]u64)->u64\n";
/// The hash of all contracts' answers: that of `strait contract 1`.
const ANSWERS: u64 = 0x6b15_8774_7f82_8b6b;
/// The function's number, and the largest argument.
const REQUEST: usize = 4 + 24;
/// At least 28 and the function's number.
const ANSWER: usize = 4 + 28;

#[derive(Default)]
struct Bulb {
    percent: u32,
    times: u64,
}

impl LampServer for Bulb {
    fn set(&mut self, percent: &u32) -> Result<u32, u16> {
        if *percent > 100 {
            return Err(7);
        }
        self.times += 1;
        Ok(std::mem::replace(&mut self.percent, *percent))
    }

    fn times(&mut self, _of: &[u64; 3]) -> Result<u64, u16> {
        Ok(self.times)
    }
}

fn ok(status: strait_status) {
    assert_eq!(status, strait_status::Ok);
}

/// Calls a function; returns the answer behind its number.
fn call(client: &mut strait_call_client_t, function: u32, argument: &[u8]) -> Result<[u8; ANSWER - 4], u16> {
    let (mut request, mut answer) = ([0_u8; REQUEST], [0_u8; ANSWER]);
    request[..4].copy_from_slice(&function.to_le_bytes());
    request[4..4 + argument.len()].copy_from_slice(argument);
    let (mut ticket, mut code) = (0, 0);
    // SAFETY: all pointers are to things of this function, of the lengths given.
    let status = unsafe {
        strait_call_client_call_timeout(
            client,
            request.as_ptr().cast::<c_void>(),
            REQUEST,
            answer.as_mut_ptr().cast::<c_void>(),
            ANSWER,
            &raw mut ticket,
            &raw mut code,
            PATIENCE.as_nanos() as u64,
        )
    };
    match status {
        strait_status::Ok => {
            assert_eq!(answer[..4], function.to_le_bytes(), "the answer of another function");
            Ok(*answer.last_chunk().expect("it is longer"))
        }
        strait_status::Refused => Err(code),
        other => panic!("{other:?}"),
    }
}

/// Asks a server of the contract, and ends it.
fn ask(place: &str) {
    let text = CString::new(TEXT).expect("no zeros");
    // SAFETY: it is a string.
    let hash = unsafe { strait_type_hash(text.as_ptr()) };
    assert_eq!((Lamp::TEXT, Lamp::HASH), (TEXT, hash), "what the text is hashed to");
    let (place, name) = (CString::new(place).expect("no zeros"), c"lamp");
    // SAFETY: zeros are closed storage.
    let mut region: strait_region_t = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: zeros are closed storage.
    let mut client: strait_call_client_t = unsafe { MaybeUninit::zeroed().assume_init() };
    // SAFETY: the storage stays where it is until it is closed, and the place is a string.
    ok(unsafe { strait_open(&raw mut region, place.as_ptr(), 0) });
    let open = |client: &mut strait_call_client_t, hash| {
        // SAFETY: as above; the name is a string.
        unsafe {
            let sizes = (REQUEST as u32, ANSWER as u32);
            strait_call_client_open(client, &raw const region, name.as_ptr(), hash, sizes.0, ANSWERS, sizes.1)
        }
    };
    // Another contract, or none, is refused by the hash.
    assert_eq!(open(&mut client, hash ^ 1), strait_status::Type);
    ok(open(&mut client, hash));
    let word = |answer: [u8; ANSWER - 4]| u32::from_le_bytes(*answer.first_chunk().expect("it is longer"));
    assert_eq!(call(&mut client, 1, &40_u32.to_le_bytes()).map(word), Ok(0));
    assert_eq!(call(&mut client, 1, &70_u32.to_le_bytes()).map(word), Ok(40));
    assert_eq!(call(&mut client, 1, &101_u32.to_le_bytes()), Err(7), "the function refuses that");
    assert_eq!(call(&mut client, 3, &[]), Err(0), "there is no such function");
    assert_eq!(call(&mut client, 2, &[0; 24]).map(word), Ok(2));
    // SAFETY: it is open, and used no more.
    ok(unsafe { strait_call_client_close(&raw mut client) });
    // SAFETY: as above.
    ok(unsafe { strait_region_close(&raw mut region) });
}

#[test]
fn a_contracts_functions_are_called_by_their_numbers() {
    let path = std::env::temp_dir().join(format!("strait-capi-contract-{}", std::process::id()));
    let file = RegionFile::new(&path);
    let region = file.create(&PLAN, &RegionOptions::new()).expect("the name is free");
    let mut requests = Lamp::server(&region, "lamp").expect("nobody serves");
    std::thread::scope(|scope| {
        let client = scope.spawn(|| ask(path.to_str().expect("UTF-8")));
        let mut bulb = Bulb::default();
        while !client.is_finished() {
            match Lamp::serve(&mut requests, &mut bulb, Duration::from_millis(20)) {
                Ok(_) | Err(ServeContractError::TimedOut) => {}
                Err(error) => panic!("{error}"),
            }
        }
        client.join().expect("it was served");
    });
    file.remove().expect("it is there");
}
