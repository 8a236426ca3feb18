# Enhanced Disk Drive services: what the BIOS says of its hard disks, and the signature of each one's master boot record, by which
# a driver finds out later which of its disks the BIOS means. edd=off on the command line asks nothing, edd=skipmbr reads no disk.

    .section .setup16, "", @progbits
    .code16

    .set EDDBUF_ENTRIES, 0x1e9              # offsets in boot_params
    .set EDD_MBR_SIG_ENTRIES, 0x1ea
    .set EDD_MBR_SIG, 0x290
    .set EDDBUF, 0xd00

    .set EDD_MAX, 6                         # how many disks these two hold
    .set EDD_MBR_SIG_MAX, 16
    .set FIRST_DISK, 0x80
    .set EDD_INFO_SIZE, 82
    .set EDD_PARAMS_SIZE, 74

    .set EDD_DEVICE, 0                      # offsets in an entry of eddbuf
    .set EDD_VERSION, 1
    .set EDD_INTERFACE_SUPPORT, 2
    .set EDD_LEGACY_MAX_CYLINDER, 4
    .set EDD_LEGACY_MAX_HEAD, 6
    .set EDD_LEGACY_SECTORS, 7
    .set EDD_PARAMS, 8
    .set EDD_BYTES_PER_SECTOR, EDD_PARAMS + 0x18

    .set SECTOR_SIZE_MAX, 4096
    .set MBR_SIGNATURE, 0x1b8               # offsets in a master boot record
    .set MBR_MAGIC, 0x1fe

query_edd:
    call    edd_option
    cmpb    $'o', %al                       # "off", and not "on"
    jne     1f
    cmpb    $'f', %ah
    je      .Ledd_end
1:  movb    %al, edd_skip                   # "skipmbr", or "skip" as it was once called
    movb    $FIRST_DISK, %dl
.Lnext_disk:
    call    query_disk
    call    query_mbr
    incb    %dl
    cmpb    $FIRST_DISK + EDD_MBR_SIG_MAX, %dl
    jb      .Lnext_disk
.Ledd_end:
    ret

# Looks for edd= on the command line. Returns the first two letters of its last value in ax, 0 without one. The line is read as
# far as real mode reaches in one segment.
edd_option:
    xorw    %ax, %ax
    movl    setup_boot_params + CMD_LINE_PTR, %esi
    testl   %esi, %esi
    jz      .Lno_option
    cmpl    $0xa0000, %esi
    jae     .Lno_option
    movl    %esi, %ecx
    shrl    $4, %ecx
    movw    %cx, %fs
    andw    $0xf, %si
    movb    $' ', %bl                       # what came before
1:  cmpb    $0, %fs:(%si)
    je      .Lno_option
    cmpb    $' ', %bl
    jne     2f
    cmpl    $0x3d646465, %fs:(%si)          # "edd="
    jne     2f
    movw    %fs:4(%si), %ax
2:  movb    %fs:(%si), %bl
    incw    %si
    cmpw    $0xfff0, %si
    jb      1b
.Lno_option:
    ret

# Describes disk dl in the next entry, if there is room and the BIOS has the services for it. Keeps dl.
query_disk:
    movb    $0, edd_known
    movzbw  setup_boot_params + EDDBUF_ENTRIES, %ax
    cmpw    $EDD_MAX, %ax
    jae     .Lno_disk
    imulw   $EDD_INFO_SIZE, %ax, %di
    addw    $setup_boot_params + EDDBUF, %di
    movb    $0x41, %ah                      # whether there are extensions, and which
    movw    $0x55aa, %bx
    pushw   %dx
    pushw   %di
    bios    0x13
    popw    %di
    popw    %dx
    jc      .Lno_disk
    cmpw    $0xaa55, %bx
    jne     .Lno_disk
    movb    %dl, EDD_DEVICE(%di)
    movb    %ah, EDD_VERSION(%di)
    movw    %cx, EDD_INTERFACE_SUPPORT(%di)

    movb    $0x48, %ah                      # what the disk is
    movw    $EDD_PARAMS_SIZE, EDD_PARAMS(%di)
    leaw    EDD_PARAMS(%di), %si
    pushw   %dx
    pushw   %di
    bios    0x13
    popw    %di
    popw    %dx

    pushw   %dx
    pushw   %di
    movb    $8, %ah                         # its geometry, as the oldest programs see it
    xorw    %di, %di
    pushw   %es
    movw    %di, %es                        # some need es:di to be 0
    bios    0x13
    popw    %es
    popw    %di
    jc      1f
    movb    %dh, EDD_LEGACY_MAX_HEAD(%di)
    movb    %cl, %al
    andb    $0x3f, %al
    movb    %al, EDD_LEGACY_SECTORS(%di)
    xchgb   %ch, %cl
    shrb    $6, %ch
    movw    %cx, EDD_LEGACY_MAX_CYLINDER(%di)
1:  popw    %dx
    movb    $1, edd_known
    incb    setup_boot_params + EDDBUF_ENTRIES
.Lno_disk:
    ret

# Reads the signature of disk dl. Keeps dl.
query_mbr:
    cmpb    $'s', edd_skip
    je      .Lno_mbr
    cmpb    $0, edd_known
    je      1f
    cmpw    $SECTOR_SIZE_MAX, EDD_BYTES_PER_SECTOR(%di)
    ja      .Lno_mbr                        # there is no room for its sectors
1:  movw    $0x0201, %ax                    # one sector, cylinder 0, head 0
    movw    $1, %cx
    xorb    %dh, %dh
    movw    $setup_sector, %bx
    pushw   %dx
    stc                                     # some return without touching it when they fail
    bios    0x13
    sti                                     # and some with interrupts off
    popw    %dx
    jc      .Lno_mbr
    cmpw    $0xaa55, setup_sector + MBR_MAGIC
    jne     .Lno_mbr
    movzbw  %dl, %bx
    subw    $FIRST_DISK, %bx
    leaw    1(%bx), %ax
    movb    %al, setup_boot_params + EDD_MBR_SIG_ENTRIES
    shlw    $2, %bx
    movl    setup_sector + MBR_SIGNATURE, %eax
    movl    %eax, setup_boot_params + EDD_MBR_SIG(%bx)
.Lno_mbr:
    ret

edd_skip:
    .byte   0
edd_known:
    .byte   0
